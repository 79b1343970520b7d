"""The reference's side of bench/compare.ts: reads a task a line, answers with what it took.

Run inside the folder of the reference with a Python that can import it:
reference.py MODE SIZE CONTEXT VECTOR CHECKPOINT LORA CONTROLNET

MODE gpu: on the GPU as the reference does by itself; default or pytorch: on the CPU, with that attention.
"""

import functools
import json
import resource
import sys
import time

answers = sys.stdout
sys.stdout = sys.stderr  # whatever the reference prints is no answer
mode = sys.argv[1]
size, width, vector = (int(arg) for arg in sys.argv[2:5])
checkpoint, lora_path, control_path = sys.argv[5:]
sys.argv = [sys.argv[0]] + {"gpu": [], "default": ["--cpu"], "pytorch": ["--cpu", "--use-pytorch-cross-attention"]}[mode]
sys.path.insert(0, ".")

import comfy.options

comfy.options.enable_args_parsing()

import torch
import comfy.controlnet
import comfy.model_management
import comfy.sd
import comfy.utils

device = comfy.model_management.get_torch_device()


@functools.cache
def files():
    return comfy.sd.load_checkpoint_guess_config(checkpoint)[:3]


@functools.cache
def lora_file():
    return comfy.utils.load_torch_file(lora_path, safe_load=True)


@functools.cache
def control_net():
    return comfy.controlnet.load_controlnet(control_path)


def clip(prompt):
    text = files()[1]
    text.encode_from_tokens(text.tokenize(prompt))


def call(model, control=None):
    """Two rows through the network."""
    more = [control] if control is not None else []
    comfy.model_management.load_models_gpu([model, *[m for c in more for m in c.get_models()]])
    x, sigma = torch.zeros(2, 4, size, size, device=device), torch.tensor([2.0, 2.0], device=device)
    given = {"c_crossattn": torch.zeros(2, 77, width, device=device)}
    if vector > 0:
        given["y"] = torch.zeros(2, 2816, device=device)
    if control is not None:
        control.pre_run(model.model, model.model.model_sampling.percent_to_sigma)
        given["control"] = control.get_control(x, sigma, dict(given), 2, {})
    model.model.apply_model(x, sigma, **given)


def lora(strength):
    call(comfy.sd.load_lora_for_models(files()[0], None, lora_file(), strength, 0)[0])


def control(strength):
    picture = torch.zeros(1, 3, 8 * size, 8 * size)
    call(files()[0], control_net().copy().set_cond_hint(picture, strength))


tasks = {
    "open": lambda _: files(),
    "clip": lambda value: clip(f"a photograph of a lighthouse at dawn {value}"),
    "emphasis": lambda value: clip(f"a (photograph:1.2) of a lighthouse at dawn {value}"),
    "step": lambda _: call(files()[0]),
    "lora": lora,
    "control": control,
    "decode": lambda _: files()[2].decode(torch.zeros(1, 4, size, size)),
}

for line in sys.stdin:
    task, *value = line.split()
    began, cpu = time.perf_counter(), time.process_time()
    try:
        with torch.inference_mode():
            tasks[task](float(value[0]) if value else 0)
            if mode == "gpu":
                torch.cuda.synchronize()
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), file=answers, flush=True)
        continue
    answer = {
        "wall": (time.perf_counter() - began) * 1000,
        "cpu": (time.process_time() - cpu) * 1000,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if mode == "gpu":
        answer["device"] = torch.cuda.max_memory_reserved()
    print(json.dumps(answer), file=answers, flush=True)
