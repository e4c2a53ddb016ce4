"""Three senses in one map: each is recalled from the others.

    infant-arm reproduce --preset quick            # once; collects the poses and trains the autoencoder
    python examples/three_senses.py runs/quick [PICTURE]

The paper's map joins two modalities. The Multi-Modal Convergence Maps that it builds on (Lallee and Dominey, 2013) join any
number. Here a map joins vision, the joints of shoulder and elbow, and the place of the hand.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from agents import SomAutoencoder, train
from training import Dataset
from training.data.latents import load_latents
from training.measure.metrics import hand_positions

run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/quick")
data, mind = Dataset.open(run / "dataset"), SomAutoencoder.load(run)
joints, place = torch.from_numpy(data.joints).rad2deg(), 100 * torch.from_numpy(data.hand_position)  # deg, cm
sensed = {"vision": load_latents(run, data), "shoulder": joints[:, :3], "elbow": joints[:, 3:], "hand": place}

# Degrees and centimetres are no common scale. With mean 0 and deviation 1 all senses have the same influence on the winner.
mean, deviation = ({name: of(rows, 0) for name, rows in sensed.items()} for of in (torch.mean, torch.std))
senses = {name: (rows - mean[name]) / deviation[name] for name, rows in sensed.items()}
som = train({name: rows[data.split("train")] for name, rows in senses.items()}, shape=(400, 400))
new = data.split("test")[:1000]
test = {name: rows[new] for name, rows in senses.items()}

# Some senses in, the others out. With equal influence the elbow makes the shoulder less exact; c={"elbow": 0.2} mends this.
print(f"each neuron holds {som.modalities} numbers; mean error per joint or axis on {len(new)} new poses:")
for asked in ([], ["elbow"], ["hand"], ["vision"], ["vision", "elbow"], ["vision", "hand"], ["shoulder", "elbow"]):
    wanted = [name for name in ("shoulder", "elbow", "hand") if name not in asked]
    guess = dict.fromkeys(wanted, torch.zeros(1))  # the mean
    answer = som.recall({name: test[name] for name in asked}, wanted, readout="local_linear") if asked else guess
    off = {name: ((answer[name] - test[name]).abs() * deviation[name]).mean() for name in wanted}
    errors = ", ".join(f"{name} {off[name]:.1f} {'cm' if name == 'hand' else 'deg'}" for name in wanted)
    print(f"  {' + '.join(asked) or 'nothing':16} -> {errors}")


def miss(query, **options):
    """Median distance in cm between the hand's true place and its place in the recalled pose."""
    recalled = som.recall(query, ["shoulder", "elbow"], **options)
    pose = torch.cat([rows * deviation[name] + mean[name] for name, rows in recalled.items()], 1).deg2rad()
    ends = hand_positions(mind.normalize(pose).numpy(), data.arm)[:, 0]  # the simulator's kinematics
    return (100 * torch.from_numpy(ends) - place[new]).norm(dim=1).median()


# Inverse kinematics, learned by babbling. Many poses bring the hand to a place: the winner is one, a linear fit mixes several.
both = {"hand": test["hand"], "vision": test["vision"]}
closed = {**both, "vision": torch.full_like(test["vision"], torch.nan)}  # a row of NaN: this sense is missing
print(f"from the hand's place to joints that bring it there: {miss(closed):.1f} cm off", end=" ")
print(f"(a fit: {miss(closed, readout='local_linear'):.1f} cm)")
wrong = {**both, "vision": test["vision"].roll(1, 0)}  # another pose's picture; each query has its own weights c
print(f"with a wrong picture: {miss(wrong):.1f} cm off; trusting vision less: {miss(wrong, c={'vision': 0.1}):.1f} cm")

# How sure is it? If the spread is large, several poses fit. If the distance to the winner is large, no pose fits.
for state, query in {"eyes open": both, "eyes closed": closed, "wrong picture": wrong}.items():
    sure = som.recall_with_confidence(query, ["shoulder"])
    spread = (sure.spread["shoulder"] * deviation["shoulder"].mean()).mean()
    print(f"  {state:13} -> spread of the shoulder {spread:.0f} deg, distance {sure.distance.mean():.2f} deviations")

# One pose, asked by each sense: the recalled picture, and the activity of the map with its winner.
figure, axes = plt.subplots(2, 4, figsize=(12, 5.2), layout="constrained")
for (above, below), name in zip(axes.T, senses, strict=True):
    query = {name: test[name][:1]}
    picture = mind.autoencoder.decode(som.recall(query, "vision"))[0].detach()
    above.imshow(picture, cmap="gray", vmin=0, vmax=1, aspect=data.eye_size[0] / data.eye_size[1])
    above.set(title=f"asked by {name}", xticks=[], yticks=[])
    below.imshow(som.activity(query)[0], cmap="viridis")
    below.plot(*divmod(int(som.winners(query)), som.shape[1])[::-1], "o", ms=10, mfc="none", mec="#D55E00", mew=2)
    below.set(xlabel="neuron, column", ylabel="neuron, row")
path = sys.argv[2] if len(sys.argv) > 2 else "three_senses.png"
figure.savefig(path, dpi=110)
print("saved", path)
