import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infant_env.tasks import rewards


def test_the_hand_s_distance_is_euclid_s():
    places = np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 0.0], [1.0, 2.0, 2.0]])
    assert rewards.hand_distance(places, [0.0, 0.0, 0.0]).tolist() == [0.0, 5.0, 3.0]


def test_the_joints_distance_is_the_worst_joint_s():
    assert rewards.joint_distance([[0.1, -0.5, 0.2], [0.3, 0.0, 0.0]], [0.0, 0.0, 0.0]).tolist() == [0.5, 0.3]


def test_at_the_threshold_a_goal_is_reached():
    distances = np.array([0.0, 0.02, 0.0201])
    assert rewards.success(distances, 0.02).tolist() == [True, True, False]
    assert rewards.sparse(distances, 0.02).tolist() == [0.0, 0.0, -1.0]
    assert rewards.dense(distances, 0.02).tolist() == [0.0, -0.02, -0.0201]


@pytest.mark.parametrize("distance", [rewards.hand_distance, rewards.joint_distance])
@pytest.mark.parametrize("reward", [rewards.sparse, rewards.dense])
@given(
    goals=arrays(
        np.float32, st.tuples(st.just(2), st.integers(1, 70), st.integers(2, 7)), elements=st.floats(-1, 1, width=32)
    )
)
def test_a_batch_gives_the_bits_of_its_goals_one_by_one(distance, reward, goals):
    achieved, desired = goals
    together = reward(distance(achieved, desired), 0.5)
    singly = [reward(distance(a, d), 0.5) for a, d in zip(achieved, desired, strict=True)]
    transposed = reward(distance(np.asfortranarray(achieved), desired), 0.5)
    assert together.tobytes() == np.array(singly).tobytes() == transposed.tobytes()
