"""With closed eyes, the infant touches the patch of its skin that feels pressed.

    python examples/touch_yourself.py [CONTACTS] [FOLDER]

The infant first babbles contacts: its arm moves until its hand touches its body. It remembers what its skin felt, the pose, and
where the arm came from. Then a patch feels pressed. It looks up the most similar touch that it remembers, and moves to the pose
from which it came there then, and on to the contact. With 4,000 contacts the hand comes within 2 cm of 84 % of the patches
that it can reach.
"""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np

import infant_env
from infant_env.senses.skin.touch import share
from infant_env.tasks.hand_surface import HandSurface
from training.data import collect

gym.register_envs(infant_env)
contacts = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
folder = Path(sys.argv[2] if len(sys.argv) > 2 else "data/contacts")
options = {"touch": True, "touching": True, "min_arm_in_view": 0.0, "eye_size": (36, 60), "workers": 1}
data = collect.run(collect.Config(folder, samples=contacts, **options))

env = gym.make("InfantArmTouch-v0", goal="felt", arm=data.arm).unwrapped
env.reset(seed=0)
touch, hand = env.touch, HandSurface(env.arm)
numbers = [touch.names.index(name) for name in env.task.reachable]
body = ~touch.patches.on(env.arm.arm_geoms)  # the arm's own skin feels too, but the patch to touch is not on it
remembered = data.touch_shares[:, body]  # (N, patches of the body)
print(
    f"{contacts:,} contacts touched {(remembered > 0).any(axis=0).sum()} patches of the body; {len(numbers)} can be reached"
)


def move(pose: np.ndarray, steps: int) -> None:
    """Holds a pose for some steps of 40 ms."""
    for _ in range(steps):
        env.step(env.action_for(pose))


def reach(patch: int, seed: int) -> float:
    """Touches the patch that feels pressed; the distance of the hand from its center, m."""
    observation, _ = env.reset(seed=seed, options={"patch": touch.names[patch]})
    felt = share(observation["touch"])[body]
    best = int(((remembered - felt) ** 2).sum(axis=1).argmin())
    move(data.approach[best], 12)
    move(data.joints[best], 25)
    return hand.distance(env.data, touch.centers(env.data)[patch])


far = np.array([reach(patch, seed) for seed, patch in enumerate(numbers)])
for limit in (0.01, 0.02, 0.03):
    print(f"the hand is within {100 * limit:.0f} cm of {(far <= limit).mean():.0%} of the reachable patches")
worst = [touch.names[numbers[k]] for k in far.argsort()[:-6:-1]]
print(f"median distance {100 * np.median(far):.1f} cm; farthest: {', '.join(worst)}")
