"""How the run beside this file was made: with version 0.1 (commit 3be9ee4), and never again.

    cd SOMEWHERE && PYTHONPATH=CHECKOUT_OF_0.1 python made_by.py

All by the commands of 0.1. To keep the file small, networks whose width has no option are narrower than usual, weights are
rounded to 8 bits when they are written, and what is derived is left out. The last command is stopped after two of three
epochs, so that a training that is half done lies there too.
"""

import shlex
import sys
import tarfile
from pathlib import Path

import torch
from agents.glance import Glance
from training.network_training import NetworkTraining

from agents import checkpoints
from agents.baselines.regressor import CnnRegressor
from training import cli

RUN = "runs/of_0_1"
COMMANDS = (
    f"collect --out {RUN}/dataset --samples 60 --eye-size 60 100 --shard-size 20 --seed 5 --workers 1",
    f"train-ae --data {RUN}/dataset --run {RUN} --epochs 4 --width 4 --device cpu",
    f"train-som --run {RUN} --rows 8 --columns 7 --device cpu",
    f"train-generator --data {RUN}/dataset --run {RUN} --epochs 2 --width 1 --points 2 --device cpu",
    f"train-glance --data {RUN}/dataset --run {RUN} --epochs 2 --device cpu",
    f"train-regressor --data {RUN}/dataset --run {RUN} --epochs 2 --device cpu",
    f"train-pixel-som --data {RUN}/dataset --run {RUN} --rows 8 --columns 7 --device cpu",
    f"calibrate --run {RUN} --samples 10 --device cpu",
    f"train-world-model --run {RUN} --steps 50 --check 50 --pictures 2 --device cpu",
    f"evaluate --run {RUN} --device cpu",
    f"reach --run {RUN} --goals 2 --steps 4 --device cpu",
    f"imagery --run {RUN} --goals 4 --device cpu",
)
HALF = f"train-ae --data {RUN}/dataset --run {RUN} --epochs 3 --width 4 --device cpu"
DERIVED = ("cache", "figures", "videos")


def run(command: str) -> None:
    sys.argv = ["infant-arm", *shlex.split(command)]
    status = cli.main(sys.argv[1:])
    print("status", status)
    assert status in (0, 130)


def rounded(write):
    def write_rounded(path, kind, tensors, header):
        def few(t):
            return t.bfloat16().float() if t.dtype == torch.float32 and "som" not in kind else t

        return write(path, kind, {name: few(tensor) for name, tensor in tensors.items()}, header)

    return write_rounded


def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    name = Path(entry.name)
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return None if name.name in DERIVED or name.name.startswith(".") else entry


def killed_after_two(save):
    def save_and_die(self, *arguments):
        save(self, *arguments)
        if len(self.curve) == 2:
            raise KeyboardInterrupt

    return save_and_die


if __name__ == "__main__":
    checkpoints.write = rounded(checkpoints.write)
    Glance.__init__.__defaults__ = (5, 1)
    CnnRegressor.__init__.__defaults__ = (5, 1)
    for command in COMMANDS:
        run(command)
    recorded = [Path(RUN, name).read_text() for name in ("config.json", "metrics.json")]
    NetworkTraining.save = killed_after_two(NetworkTraining.save)
    run(HALF)
    for name, text in zip(("config.json", "metrics.json"), recorded, strict=True):
        Path(RUN, name).write_text(text)  # as when the stopped training had been another run's
    with tarfile.open("run_of_0_1.tar.xz", "w:xz", preset=9) as archive:
        archive.add(RUN, "run", filter=kept)
