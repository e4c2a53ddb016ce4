import mujoco
import numpy as np
import pytest

from agents.babbling import NOT_VISIBLE, PENETRATES, BabblingAgent
from infant_env.body.model import PENETRATION_LIMIT, ArmModel


@pytest.fixture(scope="module")
def agent(arm: ArmModel):
    agent = BabblingAgent(arm, eye_size=(60, 100), seed=5)
    yield agent
    agent.close()


def test_a_sample_depends_on_seed_and_number_alone(agent: BabblingAgent, arm: ArmModel):
    forwards = [agent.sample(i) for i in range(4)]
    other = BabblingAgent(arm, eye_size=(60, 100), seed=5)
    for i in reversed(range(4)):
        again = other.sample(i)
        assert again.eye.tobytes() == forwards[i].eye.tobytes()
        assert again.joints.tobytes() == forwards[i].joints.tobytes()
    other.close()
    stranger = BabblingAgent(arm, eye_size=(60, 100), seed=6)
    assert stranger.sample(0).joints.tobytes() != forwards[0].joints.tobytes()
    stranger.close()


def test_what_is_kept_is_possible_and_visible(agent: BabblingAgent, arm: ArmModel):
    data = mujoco.MjData(arm.model)
    for i in range(30):
        sample = agent.sample(i)
        arm.pose(data, sample.joints)
        assert arm.penetration(data) <= PENETRATION_LIMIT
        assert sample.arm_in_view >= 0.01
        assert sample.hand_position == pytest.approx(arm.hand_position(data), abs=1e-6)


def test_poses_are_uniform_before_some_are_rejected(arm: ArmModel):
    agent = BabblingAgent(arm, eye_size=(60, 100), seed=0, min_arm_in_view=0.0)
    samples = [agent.sample(i) for i in range(300)]
    agent.close()
    assert sum(s.rejected[NOT_VISIBLE] for s in samples) == 0
    rejected = sum(s.rejected[PENETRATES] for s in samples)
    assert 0 < rejected < 300
    turned = arm.normalize(np.stack([s.joints for s in samples]))[
        :, 4
    ]  # the forearm's rotation changes no contact much
    assert np.abs(np.sort(turned) - np.linspace(0, 1, 300)).max() < 0.1  # Kolmogorov-Smirnov, p = .005


def test_an_arm_that_is_never_seen_is_said(arm: ArmModel):
    blind = BabblingAgent(arm, eye_size=(60, 100), seed=0, min_arm_in_view=0.999)
    with pytest.raises(ValueError, match="turn the eye's camera to the arm"):
        blind.sample(0)
    blind.close()
