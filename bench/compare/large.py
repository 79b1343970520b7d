"""The reference's side of bench/large.ts: the same steps on the CPU, told in the same words.

Run inside the folder of the reference with a Python that can import it: large.py FILE SIZE STEPS
"""

import resource
import sys
import time

path = sys.argv[1]
size, steps = (int(arg) for arg in sys.argv[2:4])
sys.argv = [sys.argv[0], "--cpu"]
sys.path.insert(0, ".")

import comfy.options

comfy.options.enable_args_parsing()

import torch
import comfy.sample
import comfy.sd

model = comfy.sd.load_diffusion_model(path)
words = [[torch.zeros(1, 256, 4096), {"pooled_output": torch.zeros(1, 768), "guidance": 3.5}]]
latent = torch.zeros(1, 16, size // 8, size // 8)
noise = comfy.sample.prepare_noise(latent, 1)
marks = [time.perf_counter()]
used = [time.process_time()]


def on_step(*_):
    marks.append(time.perf_counter())
    used.append(time.process_time())


out = comfy.sample.sample(
    model, noise, steps, 1.0, "euler", "simple", words, words, latent, callback=on_step, disable_pbar=True, seed=1
)


def between(times):
    return ", ".join(f"{b - a:.1f}" for a, b in zip(times, times[1:]))


peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"  seconds a step: {between(marks)}; of the processor: {between(used)}")
print(f"  peak RSS {peak:.2f} GB; {'finite' if out.isfinite().all() else 'NOT finite'}")
