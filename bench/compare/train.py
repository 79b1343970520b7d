"""The reference's side of bench/train.ts: its own training node on the CPU in fp32.

Run inside the folder of the reference with a Python that can import it:
train.py CHECKPOINT SIZE RANK STEPS CONTEXT CHECKPOINTING(0 or 1)
"""

import resource
import sys
import time

path = sys.argv[1]
size, rank, steps, context, checkpointing = (int(arg) for arg in sys.argv[2:7])
# the attention that it takes by itself on a CPU cannot be differentiated
sys.argv = [sys.argv[0], "--cpu", "--use-pytorch-cross-attention"]
sys.path.insert(0, ".")

import comfy.options

comfy.options.enable_args_parsing()

import torch
import comfy.sd
from torch.optim.optimizer import register_optimizer_step_post_hook
from comfy_extras.nodes_train import TrainLoraNode

model = comfy.sd.load_checkpoint_guess_config(path, output_vae=False, output_clip=False)[0]
marks, used = [], []


def mark(*_):
    marks.append(time.perf_counter())
    used.append(time.process_time())


register_optimizer_step_post_hook(mark)
torch.manual_seed(0)
latents = {"samples": torch.randn(2, 4, size // 8, size // 8)}
words = [[torch.randn(1, 77, context), {}]]
mark()
_, adapters, losses, _ = TrainLoraNode().train(
    model=model, latents=latents, positive=words, batch_size=1, steps=steps, grad_accumulation_steps=1,
    learning_rate=1e-4, rank=rank, optimizer="AdamW", loss_function="MSE", seed=0, training_dtype="fp32",
    lora_dtype="fp32", algorithm="LoRA", gradient_checkpointing=checkpointing == 1, existing_lora="[None]",
)


def between(times):
    return ", ".join(f"{b - a:.1f}" for a, b in zip(times, times[1:]))


trained = sum(tensor.numel() for tensor in adapters.values()) / 1e6
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"  {trained:.1f} M numbers trained; losses {', '.join(f'{loss:.4f}' for loss in losses['loss'])}")
print(f"  seconds a step, the first with the node's start: {between(marks)}; of the processor: {between(used)}")
print(f"  peak RSS {peak:.2f} GB")
