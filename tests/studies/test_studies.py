"""The studies of a map that goes on learning: who is compared, with which samples, and what a user's mistake says."""

import pytest
import torch

from agents.som_training import train
from infant_env.errors import UserError
from infant_env.senses.modalities import PROPRIOCEPTION, VISION
from training.data import collect
from training.studies import command, forget, new_body
from training.studies.pieces import learners

TINY = {"rows": 8, "seeds": 1, "part": 10}


def test_the_table_of_ranges_is_the_same_twice_and_has_every_learner(tiny_run):
    first = command.run(forget.Config(tiny_run, **TINY))
    for file in (tiny_run / "studies" / "forget" / "seeds").iterdir():
        file.unlink()
    again = command.run(forget.Config(tiny_run, **TINY))
    without_cpu = [[line.rsplit(maxsplit=1)[0] for line in text.splitlines() if line] for text in (first, again)]
    assert without_cpu[0] == without_cpu[1]
    papers = [forget.of_size(name, side) for name, (_, side) in forget.OF_PAPERS.items()]
    for label in (forget.JOINT_TRAINING, *papers, *learners.LEARNERS):
        assert label in first
    assert again in (tiny_run / "studies" / "forget" / "forget.txt").read_text()


def test_each_sample_lies_in_one_range():
    joints = torch.rand((101, 5), generator=torch.Generator().manual_seed(0))
    edges = forget.quantiles(joints[:, forget.JOINT], 5)
    parts = list(forget.in_ranges({PROPRIOCEPTION: joints, VISION: joints[:, :3]}, edges))
    assert sorted(len(part[VISION]) for part in parts) == [20, 20, 20, 20, 21]
    assert torch.equal(torch.cat([p[PROPRIOCEPTION] for p in parts]).sort(0).values, joints.sort(0).values)
    tops = [float(part[PROPRIOCEPTION][:, forget.JOINT].max()) for part in parts]
    assert tops == sorted(tops)


def test_another_body_is_learned_beside_the_first(tiny_run, tmp_path):
    other = collect.Config(tmp_path / "18_months", samples=40, age_months=18, eye_size=(60, 100), workers=1)
    collect.run(other)
    own = (tiny_run / "latents.safetensors").read_bytes()
    text = command.run(new_body.Config(tiny_run, changed=tmp_path / "18_months", **TINY))
    assert "trained on both" in text
    assert (tiny_run / "latents.safetensors").read_bytes() == own  # the other body's latents lie elsewhere


def test_a_study_without_another_body_says_how_to_make_one(tiny_run):
    with pytest.raises(UserError, match="--changed.*infant-arm collect"):
        command.run(new_body.Config(tiny_run, **TINY))


def test_self_replay_keeps_what_a_warm_start_forgets():
    generator = torch.Generator().manual_seed(0)
    angle = torch.rand((1200, 1), generator=generator) * 2
    samples = {VISION: torch.cat([angle.cos(), angle.sin()], 1), PROPRIOCEPTION: angle / 2}
    halves = [{name: rows[(angle[:, 0] > 1) == late] for name, rows in samples.items()} for late in (False, True)]
    som = train(halves[0], (40, 40))
    parts = list(learners.shuffled(halves[1], 100, 0))
    kept, lost = (
        learners.error(learners.LEARNERS[label](som, parts), halves[0])
        for label in ("batch rule, self-replay", "warm start: train(initial=)")
    )
    assert kept < 0.25 * lost
