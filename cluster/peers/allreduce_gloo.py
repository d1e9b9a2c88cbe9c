"""Peer baseline: all-reduce (sum, float32) with torch gloo over loopback TCP; prints busbw per size."""
import argparse, json, os, time
import torch, torch.distributed as dist, torch.multiprocessing as mp

def run(rank, a):
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(a.port))
    dist.init_process_group("gloo", rank=rank, world_size=a.workers)
    for n in map(int, a.sizes.split(",")):
        x = torch.ones(n // 4)
        times, used = [], 0.0
        for i in range((a.iters or (100 if n <= 8 << 20 else 15)) + 3):
            dist.barrier()
            cpu = time.process_time()
            t = time.perf_counter(); dist.all_reduce(x); t = time.perf_counter() - t
            cpu = time.process_time() - cpu
            x.fill_(1)
            if i >= 3:
                times.append(t)
                used += cpu
        if rank == 0:
            times.sort()
            med, p99 = times[len(times) // 2], times[-(-len(times) * 99 // 100) - 1]
            alg = n / med * 1e-9
            print(json.dumps(dict(peer="gloo (torch %s)" % torch.__version__, workers=a.workers, bytes=n, us=round(med * 1e6, 1),
                                  p99_us=round(p99 * 1e6, 1), iterations=len(times),
                                  cpu_s_per_GB=round(used * a.workers / (n * len(times)) * 1e9, 3),
                                  algbw_GBs=round(alg, 3), busbw_GBs=round(alg * 2 * (a.workers - 1) / a.workers, 3))), flush=True)
    dist.destroy_process_group()

if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--workers", type=int, default=2); p.add_argument("--port", type=int, default=29533)
    p.add_argument("--sizes", default="1024,65536,1048576,8388608,33554432,134217728"); p.add_argument("--iters", type=int, default=0)  # 0: 100, above 8 MiB 15
    mp.spawn(run, (p.parse_args(),), nprocs=p.parse_args().workers)
