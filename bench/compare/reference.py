"""The reference's side of bench/compare.ts: reads a task a line, answers with what it took.

Run inside the folder of the reference with a Python that can import it:  reference.py CHECKPOINT SIZE MODE
"""

import json
import resource
import sys
import time

answers = sys.stdout
sys.stdout = sys.stderr  # whatever the reference prints is no answer
checkpoint, size, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
sys.argv = [sys.argv[0], "--cpu"] + (["--use-pytorch-cross-attention"] if mode == "pytorch" else [])
sys.path.insert(0, ".")

import comfy.options

comfy.options.enable_args_parsing()

import torch
import comfy.model_management
import comfy.sd

loaded = {}


def files():
    if not loaded:
        found = comfy.sd.load_checkpoint_guess_config(checkpoint)
        loaded["model"], loaded["clip"], loaded["vae"] = found[:3]
    return loaded


def clip():
    text = files()["clip"]
    text.encode_from_tokens(text.tokenize("a photograph of a lighthouse at dawn"))


def step():
    model = files()["model"]
    comfy.model_management.load_models_gpu([model])
    x = torch.zeros(2, 4, size, size)
    sigma = torch.tensor([2.0, 2.0])
    model.model.apply_model(x, sigma, c_crossattn=torch.zeros(2, 77, 768))


def decode():
    files()["vae"].decode(torch.zeros(1, 4, size, size))


tasks = {"open": files, "clip": clip, "step": step, "decode": decode}

for line in sys.stdin:
    began, cpu = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        tasks[line.strip()]()
    answer = {
        "wall": (time.perf_counter() - began) * 1000,
        "cpu": (time.process_time() - cpu) * 1000,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(answer), file=answers, flush=True)
