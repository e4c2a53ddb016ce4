"""Infants with different bodies in one vector environment, equal to single ones to the bit."""

import copy
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import infant_env  # noqa: F401 (registers the environments)
from infant_env import ArmModel, Body, BodyChange, Seen, Sense, UserError

SMALL = (36, 60)
AGES = [1.0, 6.5, 12.0, 24.0, 2.0]
CHANGES = [
    None,
    {"rod": (0.2, 0.05)},
    {"forearm": 1.4, "rod": (0.1, 0.02)},
    {"locked": {"right_elbow_flexion": 1.0}},
    None,
]
SEEN = [None, Seen(turn=12.0), {"delay_ms": 90.0}, Seen(mirror=True, delay_ms=20.0), Seen(body=20.0)]
NOISY: Any = {"eye": Sense(0.02, 50.0), "joints": Sense(2.0, 30.0)}
ARMS: Any = {"arms": "both", "wrist": True, "gaze": "eyes"}
BOTH: Any = {"eye_size": SMALL, "senses": NOISY, "eyes": "both"}


def actions(steps: int, many: int, size: int = 5) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (steps, many, size)).astype(np.float32)


def check_same(name: str, shared: dict[str, Any], each: dict[str, list[Any]], act: Any = None, steps: int = 6) -> None:
    """Compares a vector environment with single ones; `act` does something after the third step."""
    many: Any = gym.make_vec(name, 5, **shared, **each)
    singles = [gym.make(name, **shared, **{k: v[i] for k, v in each.items()}).unwrapped for i in range(5)]
    seen, infos = many.reset(seed=3)
    alone = [single.reset(seed=3 + i) for i, single in enumerate(singles)]
    for k, rows in enumerate([None, *actions(steps, 5, many.single_action_space.shape[0])]):
        if rows is not None:
            seen, rewards, _, _, infos = many.step(rows)
            stepped = [single.step(row) for single, row in zip(singles, rows, strict=True)]
            alone = [(one[0], one[4]) for one in stepped]
            assert rewards.tolist() == [one[1] for one in stepped]
        for i, (observation, info) in enumerate(alone):
            for key in observation:
                np.testing.assert_array_equal(seen[key][i], observation[key], err_msg=f"{key} of {i} in step {k}")
            for key in info:
                np.testing.assert_array_equal(infos[key][i], info[key], err_msg=f"{key} of {i} in step {k}")
            assert many.single_observation_space.contains({key: seen[key][i] for key in seen})
        if k == 3 and act is not None:
            act(many, singles)


@pytest.mark.parametrize(
    ("name", "shared", "each"),
    [
        ("InfantArm-v0", {"eye_size": SMALL}, {"age_months": AGES}),
        ("InfantArm-v0", BOTH, {"age_months": AGES, "change": CHANGES, "seen": SEEN}),
        ("InfantArm-v0", {"eye_size": SMALL, "senses": "age", "acuity": "age"}, {"age_months": AGES}),
        ("InfantArmReach-v0", {}, {"age_months": AGES}),
        ("InfantArmReach-v0", {"goal": "joints", "senses": {"joints": Sense(2.0)}}, {"age_months": AGES, "change": CHANGES}),
        ("InfantArmReach-v0", {"eye_size": SMALL, "goal_eye": True}, {"change": CHANGES, "seen": SEEN}),
        ("InfantArm-v0", BOTH | ARMS | {"touch": True}, {"age_months": AGES, "change": CHANGES, "seen": SEEN}),
        ("InfantArmReach-v0", ARMS | {"touch": True, "hand": "left"}, {"age_months": AGES, "change": CHANGES}),
        ("InfantArmReach-v0", {"arms": "left", "touch": True, "eye_size": SMALL, "goal_eye": True}, {"age_months": AGES}),
    ],
    ids=str,
)  # fmt: skip
def test_many_bodies_are_as_many_single_infants(name: str, shared: dict[str, Any], each: dict[str, list[Any]]):
    check_same(name, shared, each)


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
def test_bodies_change_in_the_middle_of_episodes_as_single_ones_do(name: str):
    bodies = [5.0, BodyChange(rod=(0.3, 0.1)), Body(3.0), None, {"locked": {"right_elbow_flexion": 1.2}}]

    def act(many: Any, singles: Any) -> None:
        many.change(bodies)
        many.show(Seen(turn=20.0, delay_ms=40.0), infants=[1, 4])
        for single, body in zip(singles, bodies, strict=True):
            single.change(body)
        for infant in (1, 4):
            singles[infant].show(Seen(turn=20.0, delay_ms=40.0))

    shared = {"eye_size": SMALL, "senses": NOISY} | ({"goal_eye": True} if "Reach" in name else {})
    check_same(name, shared | {"touch": True}, {"age_months": AGES, "change": CHANGES}, act)


def test_touch_of_hands_with_and_without_rods_is_that_of_single_infants():
    kind: Any = {"arms": "both", "touch": True}
    changes, later = (
        [None, BodyChange(rod=(0.3, 0.05)), BodyChange(rod=(0.2, 0.05))],
        [{"rod": (0.25, 0.05)}, None, 3.0],
    )
    many: Any = gym.make_vec("InfantArmReach-v0", 3, change=changes, **kind)
    singles: Any = [gym.make("InfantArmReach-v0", change=change, **kind).unwrapped for change in changes]
    many.reset(seed=0)
    for i, single in enumerate(singles):
        single.reset(seed=i)
    felt = np.zeros(3)
    for k, rows in enumerate(actions(4, 3, 10).repeat(6, axis=0)):
        touch = many.step(rows)[0]["touch"]
        for i, single in enumerate(singles):
            np.testing.assert_array_equal(touch[i], single.step(rows[i])[0]["touch"])
        felt += touch.any(axis=1)
        if k == 12:
            many.change(later)
            for single, body in zip(singles, later, strict=True):
                single.change(body)
    assert felt.all()


def test_the_patch_to_touch_stays_while_bodies_change_as_in_single_ones():
    bodies = [BodyChange(rod=(0.3, 0.1)), None, BodyChange(forearm=0.6), None, None]

    def act(many: Any, singles: Any) -> None:
        patches = [single.touch.names[single._patch] for single in singles]
        many.change(bodies)
        for i, (single, body) in enumerate(zip(singles, bodies, strict=True)):
            single.change(body)
            assert single.task.touch.patches.model is single.touch.patches.model is single.model
            np.testing.assert_array_equal(many.goal_joints[i], single.goal_joints)
            pose, data = single.goal_joints, single.arm.new_data()
            if patches[i] in single.task.reachable:
                assert single.arm.is_valid(data, pose)
                assert single.touch.touched_by_hands(data).any()

    check_same("InfantArmTouch-v0", {"touch": True, "eye_size": SMALL}, {"seen": SEEN}, act)


def test_equal_seeds_give_equal_bytes_and_no_file_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ages = np.linspace(1, 24, 64)
    lives = []
    for _ in range(2):
        env: Any = gym.make_vec("InfantArmReach-v0", 64, age_months=ages)
        assert len({arm.body.age_months for arm in env.bodies}) == 64
        lives.append([env.reset(seed=1)[0]] + [env.step(rows)[0] for rows in actions(5, 64)])
    for one, other in zip(*lives, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])
    assert not list(tmp_path.iterdir())


def test_equal_bodies_are_one():
    env: Any = gym.make_vec("InfantArmReach-v0", 4, age_months=[3.0, 5.0, 3.0, 5.0], change=BodyChange(hand=1.2))
    assert env.bodies[0] is env.bodies[2]
    env.change(5.0, infants=[0])
    assert env.bodies[0] is env.bodies[1]
    env.change(None)
    assert [arm.body.age_months for arm in env.bodies] == [3.0, 5.0, 3.0, 5.0]


@pytest.mark.parametrize("how", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_of_changed_infants_goes_on_exactly(how: Any):
    env: Any = gym.make_vec(
        "InfantArm-v0", 3, eye_size=SMALL, age_months=[2.0, 9.0, 15.0], seen={"delay_ms": 60.0}, senses=NOISY
    )
    env.reset(seed=1)
    env.change([BodyChange(rod=(0.2, 0.05)), 3.0, None])
    env.step(actions(1, 3)[0])
    twin = how(env)
    for rows in actions(4, 3):
        for (key, one), other in zip(env.step(rows)[0].items(), twin.step(rows)[0].values(), strict=True):
            np.testing.assert_array_equal(one, other, err_msg=key)


def test_actions_for_poses_and_frames_from_outside_are_each_infant_s_own():
    env: Any = gym.make_vec(
        "InfantArmReach-v0", 2, age_months=[1.0, 24.0], render_mode="rgb_array", width=48, height=36
    )
    env.reset(seed=1)
    for _ in range(20):
        _, _, _, _, infos = env.step(env.action_for(env.goal_joints))
    assert infos["is_success"].all()
    assert not np.array_equal(*env.render())
    pose = np.array([0.5, 0.5, 0.0, 1.0, 0.0])
    for i, row in enumerate(env.action_for(pose)):
        single: Any = gym.make("InfantArmReach-v0", arm=env.bodies[i]).unwrapped
        np.testing.assert_array_equal(row, single.action_for(pose))


def test_the_spec_makes_the_same_infants_again():
    env: Any = gym.make_vec("InfantArm-v0", 5, eye_size=SMALL, age_months=np.array(AGES), change=CHANGES, seen=SEEN)
    spec = gym.envs.registration.EnvSpec.from_json(env.spec.to_json())
    again: Any = gym.make_vec(spec, 5)
    assert [arm.body for arm in again.bodies] == [arm.body for arm in env.bodies]
    assert [s and s.as_dict() for s in again.seen] == [s and s.as_dict() for s in env.seen]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"age_months": [1.0, 2.0]}, "got 2 values of age_months, expected one, or one for each of the 3 infants"),
        ({"age_months": [1.0, 2.0, 99.0]}, "got age_months=99.0, expected a number from 1 to 24"),
        ({"change": [None, None]}, "got 2 values of change"),
        ({"seen": [Seen()], "eye_size": SMALL}, "got 1 values of seen"),
        ({"arm": [ArmModel.infant(), {"eyes": "both"}, None]}, "got infant 1 with the joints .* expected those of"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_refused_in_one_line(options: Any, message: str):
    with pytest.raises(UserError, match=message) as error:
        gym.make_vec("InfantArmReach-v0", 3, **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("infants", [3, -1, [0, 0], "first", [0.5], [[0]]])
def test_unknown_infants_are_refused_in_one_line(infants: Any):
    env: Any = gym.make_vec("InfantArmReach-v0", 3)
    for act in (env.change, env.show):
        with pytest.raises(UserError, match="expected different whole numbers from 0 to 2, or None for all"):
            act(None, infants=infants)
