# %% [markdown]
# # The map on any data
#
# The self-organizing map of this project needs no infant. It takes any number of modalities: groups of numbers that belong
# together, such as what is seen and what is felt. If one of them is missing, the map recalls it from the others.

# %%
import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_iris

from agents import OnlineSom, train
from agents.som import class_map, quality
from training.show import plot_classes, plot_components, plot_hits, plot_u_matrix

SIDE = 60  # rows and columns of the map of two senses

# %% [markdown]
# ## One modality: a picture of your data
#
# Iris has 150 flowers with four measures each. We scale the measures to a similar spread, and train a map of 12x16 neurons.

# %%
iris = load_iris()
flowers = {"flower": (iris.data - iris.data.mean(0)) / iris.data.std(0)}
som = train(flowers, shape=(12, 16), distance="l2", topology="hexagonal")
print("quantization error:", round(quality.quantization_error(som, flowers), 3))
print("topographic error:", round(quality.topographic_error(som, flowers), 3))

# %% [markdown]
# The U-matrix shows borders between groups. Hits say how often each neuron won. The classes were not used in the training.

# %%
names = iris.target_names[iris.target]
figure, axes = plt.subplots(1, 3, figsize=(13, 3), layout="constrained")
plot_u_matrix(som, axes[0])
plot_hits(som, flowers, axes[1])
plot_classes(som, flowers, names, axes[2])
plt.show()

# %% [markdown]
# Each measure has its own plane over the map.

# %%
plot_components(som, "flower", iris.feature_names, "standard deviations")
plt.show()

# %% [markdown]
# A class map names the kind of a flower by its winner.

# %%
kinds = class_map(som, flowers, names)
right = (kinds.predict(som.winners(flowers)) == names).mean()
print(f"{right:.0%} of the flowers have the kind of their winner")

# %% [markdown]
# ## Two modalities: recall one from the other
#
# Here a sense "felt" is two angles, and a sense "seen" is the place of the hand of an arm with two links. The map learns both
# together.

# %%
torch.manual_seed(0)
angles = torch.rand(4000, 2) * torch.tensor([3.1, 2.5])
shoulder, elbow = angles[:, 0], angles.sum(1)
places = torch.stack([shoulder.cos() + elbow.cos(), shoulder.sin() + elbow.sin()], 1)
both = train({"felt": angles, "seen": places}, shape=(SIDE, SIDE), seed=0)

# %% [markdown]
# Now we only see the hand. Which angles have this place? The map answers, and we can check the answer.

# %%
recalled = both.recall({"seen": places[:200]}, "felt", readout="local_linear")
shoulder, elbow = recalled[:, 0], recalled.sum(1)
reached = torch.stack([shoulder.cos() + elbow.cos(), shoulder.sin() + elbow.sin()], 1)
apart = (reached - places[:200]).norm(dim=1)
print(
    f"median distance between the seen hand and that of the recalled angles: {apart.median():.3f} (the arm has length 2)"
)
plt.scatter(*places[:200].T, s=12, label="seen")
plt.scatter(*reached.T, s=4, label="reached with the recalled angles")
plt.legend()
plt.axis("equal")
plt.show()

# %% [markdown]
# ## How sure is it?
#
# A large spread means that different answers fit. A large distance means that no neuron fits the query well: here, a place out
# of the arm's reach.

# %%
recall = both.recall_with_confidence({"seen": torch.tensor([[0.5, 1.2], [3.0, 3.0]])}, ["felt"])
print("distance of a place within reach and of one out of reach:", recall.distance.numpy().round(3))

# %% [markdown]
# ## It goes on learning
#
# New samples come, and the old ones are gone. `OnlineSom` learns the new ones and rehearses what it remembers.

# %%
turned = torch.tensor([torch.pi, 0])  # half a turn of the shoulder
online = OnlineSom(both, replay=1.0)
online.update({"felt": angles[:500] + turned, "seen": -places[:500]})
later = online.snapshot()
for name, query, answer in (("old", places[:200], angles[:200]), ("new", -places[:200], angles[:200] + turned)):
    error = (later.recall({"seen": query}, "felt", readout="local_linear") - answer).abs().mean()
    print(f"{name} samples: mean error {error:.2f} rad")

# %% [markdown]
# ## Where to go on
#
# The page "The map on its own" of the documentation has readouts, distances, topologies, missing values, scikit-learn, and a
# comparison with other libraries.
