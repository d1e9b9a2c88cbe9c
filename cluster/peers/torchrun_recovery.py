#!/usr/bin/env python3
"""PyTorch's figure beside dtrain's recovery: from SIGKILL of one of two workers to the next new step.

    peer/bin/python cluster/peers/torchrun_recovery.py      (a Python with torch and numpy)

Runs itself under torchrun: 2 workers of 1 thread, gloo, the tiny encoder-decoder, a checkpoint every 10
steps, up to 3 restarts. Rank 1 kills itself after step 25. Prints one line of JSON: seconds from the kill to
step 26, steps done twice. Without TORCH_GLOO_LAZY_INIT, which is set here, PyTorch 2.15 hangs after the
restart.
"""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

STEPS, KILLED_AT, SAVED_EVERY = 40, 25, 10


def worker(folder):
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    from torch_ddp import SIZES, Seq2Seq

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    width, layers, inner, heads, vocabulary = SIZES["tiny"]
    torch.manual_seed(0)
    net = Seq2Seq(width, layers, inner, heads, vocabulary, 0.1)
    model = DistributedDataParallel(net, broadcast_buffers=False)
    optimizer = torch.optim.Adam(model.parameters(), 1e-4)
    loss = torch.nn.CrossEntropyLoss()
    saved, killed, step = folder + "/saved.pt", folder + "/killed", 0
    if os.path.exists(saved):
        state = torch.load(saved)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    while step < STEPS:
        source = torch.randint(4, vocabulary, (16, 32))
        target = torch.randint(4, vocabulary, (16, 33))
        optimizer.zero_grad()
        logits = model(source, target[:, :-1])
        loss(logits.reshape(-1, vocabulary), target[:, 1:].reshape(-1)).backward()
        optimizer.step()
        step += 1
        if rank == 0:
            with open(folder + "/steps", "a") as file:
                file.write(json.dumps(dict(at=time.time(), step=step)) + "\n")
            if step % SAVED_EVERY == 0:
                torch.save(dict(net=net.state_dict(), optimizer=optimizer.state_dict(), step=step), saved + "~")
                os.rename(saved + "~", saved)
        if rank == 1 and step == KILLED_AT and not os.path.exists(killed):
            with open(killed, "w") as file:
                file.write(str(time.time()))
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    with tempfile.TemporaryDirectory() as folder:
        begun = time.time()
        try:
            subprocess.run(
                [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                 "--max-restarts", "3", os.path.abspath(__file__), folder],
                env=dict(os.environ, OMP_NUM_THREADS="1", TORCH_GLOO_LAZY_INIT="1"),
                stderr=subprocess.DEVNULL, timeout=120)
        except subprocess.TimeoutExpired:
            sys.exit("torchrun has not ended within 120 s")
        with open(folder + "/steps") as file:
            rows = [json.loads(line) for line in file]
        with open(folder + "/killed") as file:
            killed = float(file.read())
    after = [row["at"] for row in rows if row["at"] > killed and row["step"] > KILLED_AT]
    if not after:
        sys.exit("torchrun took no new step after the kill")
    print(json.dumps(dict(
        peer="torchrun", start_to_first_step_s=round(rows[0]["at"] - begun, 2),
        kill_to_next_new_step_s=round(after[0] - killed, 2), steps_done_twice=len(rows) - STEPS)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        worker(sys.argv[1])
    else:
        main()
