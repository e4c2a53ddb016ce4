"""One contract for all environments: single, sync, async, native, and imagined, in every mode in which episodes begin again."""

import copy
import pickle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as wrappers

import agents  # noqa: F401 (registers the imagined one)
import infant_env  # noqa: F401 (registers the environments)
from infant_env.body.model import ArmModel
from infant_env.body.servos import DivergedError
from infant_env.senses import Sense

SMALL = (36, 60)
SENSES = {"eye": Sense(0.02, 63.0), "joints": Sense(5.0, 117.0), "joint_velocities": Sense(9.0, 40.0)}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("InfantArm-v0", {"eye_size": SMALL}),
    ("InfantArmReach-v0", {}),
    ("InfantArmReach-v0", {"goal": "joints", "reward": "dense", "age_months": 3.0}),
    ("InfantArmReach-v0", {"eye_size": SMALL, "goal_eye": True}),
    ("InfantArm-v0", {"eye_size": SMALL, "senses": SENSES}),
    ("InfantArmReach-v0", {"goal": "joints", "senses": {"joints": Sense(noise=4.0)}}),
    ("InfantArmReach-v0", {"eye_size": SMALL, "age_months": 1.0, "senses": "age", "acuity": "age"}),
    ("InfantArm-v0", {"eye_size": SMALL, "eyes": "both", "senses": {"eye": Sense(0.02, 63.0)}}),
    ("InfantArmReach-v0", {"eye_size": SMALL, "eyes": "both", "gaze": "head"}),
    ("InfantArmReach-v0", {"touch": True}),
    ("InfantArmTouch-v0", {"touch": True}),
    ("InfantArmTouch-v0", {"goal": "felt", "eye_size": SMALL, "gaze": "head", "senses": {"joints": Sense(4.0, 50.0)}}),
    ("InfantArm-v0", {"eye_size": SMALL, "touch": True}),
    ("InfantArm-v0", {"eye_size": SMALL, "gaze": "head", "senses": {"eye": Sense(0.0, 63.0), "joints": Sense(4.0)}}),
]
MODES = list(AutoresetMode)
kinds = pytest.mark.parametrize(("name", "kind"), KINDS, ids=str)
modes = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.value)


def native(name: str, infants: int = 3, **kind: Any) -> Any:
    return gym.make_vec(name, infants, vectorization_mode="vector_entry_point", **kind)


def by_gymnasium(how: str, name: str, mode: AutoresetMode, infants: int = 3, **kind: Any) -> Any:
    return gym.make_vec(name, infants, vectorization_mode=how, vector_kwargs={"autoreset_mode": mode}, **kind)


def assert_same_bits(a: Any, b: Any, where: str = "") -> None:
    if isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_same_bits(a[key], b[key], f"{where}/{key}")
    elif isinstance(a, tuple | list) or (isinstance(a, np.ndarray) and a.dtype == object):
        for i, (mine, other) in enumerate(zip(a, b, strict=True)):
            assert_same_bits(mine, other, f"{where}[{i}]")
    elif isinstance(a, np.ndarray):
        assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes()), where
    else:
        assert a == b, where


def life(env: Any, mode: AutoresetMode, steps: int = 14) -> list[Any]:
    """What a vector environment gives from a seed on, its episodes lasting 4 steps."""
    random = np.random.default_rng(0)
    given: list[Any] = [env.reset(seed=3)]
    for _ in range(steps):
        given.append(env.step(random.uniform(-1.2, 1.2, env.action_space.shape).astype(np.float32)))
        ended = given[-1][3]
        if mode is AutoresetMode.DISABLED and ended.any():
            given.append(env.reset(options={"reset_mask": ended}))
    return given


@kinds
@modes
def test_native_infants_live_as_gymnasium_s_own_vectors_let_them(name: str, kind: dict[str, Any], mode: AutoresetMode):
    together = native(name, autoreset_mode=mode, max_episode_steps=4, **kind)
    singly = by_gymnasium("sync", name, mode, max_episode_steps=4, **kind)
    assert (together.observation_space, together.action_space) == (singly.observation_space, singly.action_space)
    assert together.metadata["autoreset_mode"] is singly.metadata["autoreset_mode"] is mode
    assert_same_bits(life(together, mode), life(singly, mode))
    assert together.np_random_seed == singly.np_random_seed == (3, 4, 5)
    together.close(), singly.close()


@modes
def test_processes_give_the_same_bits(mode: AutoresetMode):
    kind: dict[str, Any] = {"eye_size": SMALL, "max_episode_steps": 4, "infants": 2}
    beside = gym.make_vec(
        "infant_env:InfantArm-v0",
        2,
        vectorization_mode="async",
        vector_kwargs={"autoreset_mode": mode, "context": "spawn"},
        eye_size=SMALL,
        max_episode_steps=4,
    )
    together = native("InfantArm-v0", autoreset_mode=mode, **kind)
    assert_same_bits(life(beside, mode), life(together, mode))
    beside.close(), together.close()


@pytest.mark.parametrize(("name", "kind"), KINDS[1:3], ids=str)
@modes
def test_infants_that_end_at_different_steps_do_not_disturb_each_other(
    name: str, kind: dict[str, Any], mode: AutoresetMode
):
    together, singly = native(name, autoreset_mode=mode, **kind), by_gymnasium("sync", name, mode, **kind)
    for env in (together, singly):
        env.reset(seed=0)
    together._steps[1] += 20
    singly.envs[1]._elapsed_steps += 20
    random = np.random.default_rng(1)
    for _ in range(40):
        actions = random.uniform(-1, 1, (3, 5)).astype(np.float32)
        given = together.step(actions)
        assert_same_bits(given, singly.step(actions))
        if mode is AutoresetMode.DISABLED and given[3].any():
            masked = {"reset_mask": given[3]}
            assert_same_bits(together.reset(options=masked), singly.reset(options=dict(masked)))


@kinds
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["deep", "pickle"])
def test_a_copy_continues_exactly_as_the_original(name: str, kind: dict[str, Any], copied: Any):
    for env in (gym.make(name, max_episode_steps=4, **kind), native(name, max_episode_steps=4, **kind)):
        vector = hasattr(env, "num_envs")
        actions = np.random.default_rng(0).uniform(-1, 1, (9, *env.action_space.shape)).astype(np.float32)
        env.reset(seed=5)
        env.step(actions[0])
        twin = copied(env)
        for action in actions[1:4]:
            assert_same_bits(list(env.step(action)), list(twin.step(action)))
        if not vector:
            assert_same_bits(list(env.reset()), list(twin.reset()))
        for action in actions[4:]:
            assert_same_bits(list(env.step(action)), list(twin.step(action)))
            if not vector and env.get_wrapper_attr("_elapsed_steps") == 4:
                assert_same_bits(list(env.reset()), list(twin.reset()))
        env.close(), twin.close()


def test_imagined_infants_obey_the_same_modes(world: Any):
    for mode in MODES:
        env = native("ImaginedArmReach-v0", autoreset_mode=mode, max_episode_steps=4, world=world)
        given = life(env, mode)
        assert_same_bits(given, life(env, mode))
        steps = [step for step in given if len(step) == 5]
        last = [number for number, step in enumerate(steps, 1) if step[3].any()]
        assert last == ([4, 9, 14] if mode is AutoresetMode.NEXT_STEP else [4, 8, 12])
        for _, rewards, _, truncations, infos in (steps[number - 1] for number in last):
            assert truncations.all()
            assert (rewards <= 0).all()
            assert ("final_obs" in infos) == (mode is AutoresetMode.SAME_STEP)
        twin = pickle.loads(pickle.dumps(env))
        if mode is AutoresetMode.NEXT_STEP:
            actions = np.zeros((3, 5), np.float32)
            assert_same_bits([env.step(actions) for _ in range(6)], [twin.step(actions) for _ in range(6)])


@kinds
def test_what_was_disabled_needs_a_reset(name: str, kind: dict[str, Any]):
    env = native(name, autoreset_mode="Disabled", max_episode_steps=1, **kind)
    actions = np.zeros(env.action_space.shape, np.float32)
    with pytest.raises(ResetNeeded, match="have not begun or are over"):
        env.step(actions)
    with pytest.raises(ResetNeeded, match="before the first reset of all"):
        env.reset(options={"reset_mask": np.array([True, False, False])})
    first, _ = env.reset(seed=0)
    after = env.step(actions)[0]
    observations, infos = env.reset(options={"reset_mask": np.array([True, False, True])})
    assert {tuple(infos[key].tolist()) for key in infos if key.startswith("_")} == {(True, False, True)}
    for key in first:
        assert_same_bits(observations[key][1], after[key][1])
    with pytest.raises(ResetNeeded, match=r"the infants \[1\]"):
        env.step(actions)
    env.reset(options={"reset_mask": np.array([False, True, False])})
    env.step(actions)
    env.close()


@pytest.mark.parametrize("mask", [[True, False, True], np.zeros(3, bool), np.ones(2, bool), np.ones(3), None])
def test_a_broken_mask_is_refused(mask: Any):
    env = native("InfantArmReach-v0")
    env.reset(seed=0)
    options = {"reset_mask": mask}
    with pytest.raises((TypeError, ValueError), match="`options.*3 booleans, at least one of them True"):
        env.reset(options=options)
    assert options == {"reset_mask": mask}  # the caller's own


def test_gymnasium_s_observation_wrappers_take_native_vectors():
    flat = wrappers.FlattenObservation(native("InfantArmReach-v0"))
    assert flat.single_observation_space.shape == (16,)
    one_of = wrappers.FilterObservation(native("InfantArmReach-v0"), ["observation"])
    for env in (
        flat,
        one_of,
        wrappers.NormalizeObservation(wrappers.FlattenObservation(native("InfantArmReach-v0"))),
        wrappers.RescaleObservation(wrappers.FlattenObservation(native("InfantArmReach-v0")), -1, 1),
        wrappers.DtypeObservation(wrappers.FlattenObservation(native("InfantArmReach-v0")), np.float64),
        wrappers.RecordEpisodeStatistics(native("InfantArmReach-v0", autoreset_mode="SameStep")),
    ):
        observations, _ = env.reset(seed=0)
        assert env.observation_space.contains(observations)
        for _ in range(27):
            observations, *_ = env.step(env.action_space.sample())
        env.close()


def test_attributes_and_methods_are_answered_for_each_infant():
    env, singly = native("InfantArmReach-v0"), by_gymnasium("sync", "InfantArmReach-v0", AutoresetMode.NEXT_STEP)
    env.reset(seed=0), singly.reset(seed=0)
    assert_same_bits(env.get_attr("goal_joints"), singly.get_attr("goal_joints"))
    assert env.get_attr("action_space") == singly.get_attr("action_space")
    assert env.get_attr("dt") == singly.get_attr("dt") == (0.04,) * 3
    goals = np.zeros((2, 3), np.float32)
    assert_same_bits(env.call("compute_reward", goals, goals, {}), singly.call("compute_reward", goals, goals, {}))
    env.set_attr("mood", "calm")
    assert env.get_attr("mood") == ("calm",) * 3
    env.set_attr("goal_joints", [np.zeros(5), np.ones(5), np.zeros(5)])
    assert env.goal_joints.tolist() == [[0] * 5, [1] * 5, [0] * 5]
    env.set_attr("mood", ["calm", "merry", "calm"])
    assert env.get_attr("mood") == ("calm", "merry", "calm")
    with pytest.raises(ValueError, match="expected one: it is the same for all infants"):
        env.set_attr("render_mode", [None, "rgb_array", None])
    with pytest.raises(ValueError, match="got 2 values"):
        env.set_attr("mood", ["calm", "calm"])
    with pytest.raises(AttributeError):
        env.call("wings")


@pytest.mark.parametrize("seed", [7, np.int64(7), [7, 8, 9], (7, 8, 9), np.array([7, 8, 9]), range(7, 10)], ids=repr)
def test_seeds_are_taken_in_every_form(seed: Any):
    env = native("InfantArmReach-v0")
    wanted = native("InfantArmReach-v0").reset(seed=7)
    assert_same_bits(env.reset(seed=seed), wanted)
    assert env.np_random_seed == (7, 8, 9)


@pytest.mark.parametrize("seed", [1.5, -1, "a", [1, 2], [1, -2, 3], np.array([1.0, 2, 3]), float("nan")], ids=repr)
def test_other_seeds_are_refused_in_one_line(seed: Any, world: Any):
    single = [] if isinstance(seed, list) else [gym.make("InfantArmReach-v0")]
    for env in (native("InfantArmReach-v0"), native("ImaginedArmReach-v0", world=world), *single):
        with pytest.raises(ValueError, match=r"^got .*seed.* expected .*$"):
            env.reset(seed=seed)


@pytest.mark.parametrize("seed", [np.array([1, 2]), [1], 10**400], ids=["array", "list", "huge"])
def test_one_infant_takes_one_seed(seed: Any):
    env = gym.make("InfantArmReach-v0").unwrapped
    if isinstance(seed, int):
        env.reset(seed=seed)
        return
    with pytest.raises(ValueError, match="expected one whole number of 0 or more, or None$"):
        env.reset(seed=seed)


def test_imagined_infants_take_what_real_ones_take(world: Any):
    env = native("ImaginedArmReach-v0", 2, world=world)
    for wrong in (
        {"options": {"joints": np.full((3, 5), 0.2)}},
        {"options": {"joints": np.full((1, 5), 0.2)}},
        {"seed": [1, 2, 3]},
        {"seed": [1, None]},
    ):
        with pytest.raises(ValueError, match=r"^got .*expected"):
            env.reset(**wrong)
    assert_same_bits(env.reset(seed=np.int64(3)), env.reset(seed=3))
    assert env.np_random_seed == (3, 4)
    env.reset(seed=5)
    first = env.reset(seed=[None, None])[0]["desired_goal"]
    env.reset(seed=9)
    assert not np.array_equal(first, env.reset(seed=[None, None])[0]["desired_goal"])


SPECS: list[tuple[str, dict[str, Any]]] = [
    ("InfantArm-v0", {"eye_size": (np.int64(36), 60), "age_months": np.float32(6), "render_mode": "rgb_array"}),
    ("InfantArmReach-v0", {"goal": "joints", "threshold": np.float64(0.3), "eye_size": SMALL, "goal_eye": True}),
    ("InfantArmReachFlat-v0", {"reward": "dense"}),
    ("InfantArm-v0", {"eye_size": SMALL, "senses": SENSES}),
    ("InfantArmReach-v0", {"senses": "age"}),
    ("InfantArm-v0", {"eye_size": SMALL, "eyes": "both", "acuity": "age"}),
]


@pytest.mark.parametrize(("name", "kind"), SPECS, ids=str)
def test_specs_are_json_and_make_the_same_again(name: str, kind: dict[str, Any]):
    env = gym.make(name, **kind)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    assert_same_bits(list(env.reset(seed=1)), list(again.reset(seed=1)))


def test_a_body_s_spec_is_json_too(tmp_path: Path):
    (tmp_path / "arm.xml").write_text(PLANAR)
    arm = ArmModel.from_mjcf(tmp_path / "arm.xml", ["shoulder", "elbow"], "eye", ["upper", "lower"])
    mode = {"autoreset_mode": AutoresetMode.DISABLED}
    for env, make in (
        (gym.make("InfantArm-v0", arm=arm, eye_size=SMALL), gym.make),
        (native("InfantArmReach-v0", arm=arm, **mode), gym.make_vec),
        (native("InfantArmReach-v0", arm=ArmModel.infant(3.0), **mode), gym.make_vec),
    ):
        again = make(EnvSpec.from_json(env.spec.to_json()))
        assert again.unwrapped.arm.fingerprint == env.unwrapped.arm.fingerprint
        assert_same_bits(list(env.reset(seed=1)), list(again.reset(seed=1)))
        env.close(), again.close()
    with pytest.raises(ValueError, match="got a body with"):
        gym.make("InfantArm-v0", arm={"legs": 2})
    with pytest.raises(ValueError, match=r"expected an ArmModel, its body.as_dict\(\), or None for the infant"):
        gym.make("InfantArm-v0", arm="me")


def test_the_spec_of_a_body_holds_wherever_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "arm.xml").write_text(PLANAR)
    monkeypatch.chdir(tmp_path)
    ranges = {"elbow": (np.float32(0.5), np.float64(1.5))}
    arm = ArmModel.from_mjcf("arm.xml", ["shoulder", "elbow"], joint_ranges=ranges)
    env = gym.make("InfantArm-v0", arm=arm, eye_size=SMALL)
    text = env.spec.to_json()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = gym.make(EnvSpec.from_json(text))
    assert np.array_equal(again.unwrapped.arm.joint_ranges, arm.joint_ranges)
    assert_same_bits(list(env.reset(seed=1)), list(again.reset(seed=1)))
    env.close(), again.close()


def test_an_imagined_infant_s_spec_names_the_run(world: Any):
    env = gym.make("ImaginedArmReach-v0", world=world)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert_same_bits(list(env.reset(seed=1)), list(again.reset(seed=1)))


PLANAR = """<mujoco><worldbody><light pos="0 0 2"/><camera name="eye" pos="0 0 .7"/>
  <body name="upper"><joint name="shoulder" axis="0 0 1" range="-90 90"/>
  <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03"/>
  <body name="lower" pos=".2 0 0"><joint name="elbow" axis="0 0 1" range="0 150"/>
  <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" contype="0"/></body></body></worldbody>{}</mujoco>"""
NO_RESET = """<option><flag autoreset="disable"/></option>"""
COARSE = """<option integrator="Euler" timestep=".01"><flag eulerdamp="disable"/></option>
  <actuator><position joint="shoulder" kp="1" kv=".1"/><position joint="elbow" kp="1" kv=".1"/></actuator>"""


def unstable_arm(path: Path, more: str) -> ArmModel:
    """An arm whose elbow's servo becomes much too stiff after it was tested."""
    path.write_text(PLANAR.format(COARSE + more))
    arm = ArmModel.from_mjcf(path, ["shoulder", "elbow"], "eye", ["upper", "lower"])
    arm.model.actuator_gainprm[1, 0], arm.model.actuator_biasprm[1, 1:3] = 500_000, (-500_000, -3000)
    return arm


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("more", ["", NO_RESET])
def test_physics_that_become_unstable_end_the_episode_with_an_error(more: str, tmp_path: Path, capfd: Any):
    arm = unstable_arm(tmp_path / "arm.xml", more)
    for name, kind in (("InfantArm-v0", {"eye_size": SMALL}), ("InfantArmReach-v0", {})):
        env = gym.make(name, arm=arm, **kind)
        for _ in range(2):
            env.reset(seed=0)
            with pytest.raises(DivergedError, match=r"became unstable.*reset\(\) starts another"):
                env.step(np.ones(2, np.float32))
            with pytest.raises(ResetNeeded):
                env.unwrapped.step(np.ones(2, np.float32))
        env.close()
        many = native(name, 2, arm=arm, **kind)
        many.reset(seed=0)
        for _ in range(2):
            with pytest.raises(DivergedError, match=r"of the infants \[0, 1\] became unstable"):
                many.step(np.ones((2, 2), np.float32))
            with pytest.raises(ResetNeeded):
                many.step(np.ones((2, 2), np.float32))
            many.reset(options={"reset_mask": np.ones(2, bool)})
        many.close()


def test_physics_that_become_unstable_late_are_noticed_too(tmp_path: Path, capfd: Any):
    (tmp_path / "arm.xml").write_text(PLANAR.format(""))
    arm = ArmModel.from_mjcf(tmp_path / "arm.xml", ["shoulder", "elbow"], "eye", ["upper", "lower"])
    env, many = gym.make("InfantArmReach-v0", arm=arm).unwrapped, native("InfantArmReach-v0", 2, arm=arm)
    env.reset(seed=0), many.reset(seed=0)
    for _ in range(3):
        env.step(np.zeros(2, np.float32)), many.step(np.zeros((2, 2), np.float32))
    env.data.qvel[0] = many._qvel[1, 0] = 1e12
    with pytest.raises(DivergedError):
        env.step(np.zeros(2, np.float32))
    with pytest.raises(DivergedError, match=r"infants \[1\]"):
        many.step(np.zeros((2, 2), np.float32))


@pytest.mark.parametrize("age", [1.0, 3.0, 6.0, 12.0, 24.0])
def test_observations_stay_in_their_space_from_every_start(age: float):
    arm = ArmModel.infant(age)
    env, random = gym.make("InfantArmReach-v0", arm=arm).unwrapped, np.random.default_rng(int(age))
    low, high = arm.joint_ranges.T
    started = 0
    for _ in range(200):
        ends = np.where(random.random(5) < 0.5, low, high)
        joints = np.where(random.random(5) < 0.5, ends, arm.any_pose(random))
        if arm.is_valid(env.data, joints):
            started += 1
            observation, _ = env.reset(options={"joints": joints})
            assert env.observation_space.contains(observation)
            for _ in range(8):
                observation, *_ = env.step(np.sign(random.normal(size=5)))
                assert env.observation_space.contains(observation)
        else:
            with pytest.raises(ValueError, match="mm deep in the body, expected at most 5 mm"):
                env.reset(options={"joints": joints})
    assert started > 20


def test_a_refused_reset_leaves_the_episode_as_it_was():
    env, other = (gym.make("InfantArm-v0", eye_size=SMALL).unwrapped for _ in range(2))
    env.reset(seed=0), other.reset(seed=0)
    with pytest.raises(ValueError, match="deep in the body"):
        env.reset(options={"joints": [0.2, 0.3, 0.0, 0.5, 0.0]})
    action = np.full(5, 0.3, np.float32)
    assert_same_bits(list(env.step(action)), list(other.step(action)))


def test_where_no_pose_is_valid_reset_says_so(tmp_path: Path):
    floor = '<geom type="plane" size="2 2 .1"/><camera name="eye" pos="0 0 .7"/>'
    (tmp_path / "arm.xml").write_text(PLANAR.replace('<camera name="eye" pos="0 0 .7"/>', floor).format(""))
    told = {"mjcf": str(tmp_path / "arm.xml"), "joints": ["shoulder", "elbow"]}
    with pytest.raises(ValueError, match="10000 poses in a row .* at last the bodies 'world' and"):
        ArmModel.of(told)
    with pytest.raises(ValueError, match="10000 poses in a row"):
        gym.make("InfantArm-v0", arm=ArmModel.of(told, tested=True), eye_size=SMALL).reset(seed=0)


def test_closed_environments_open_again():
    for name, kind in KINDS:
        for env in (gym.make(name, render_mode="rgb_array", **kind), native(name, render_mode="rgb_array", **kind)):
            first, shown = env.reset(seed=2), env.render()
            env.close()
            assert_same_bits(list(env.reset(seed=2)), list(first))
            assert_same_bits(env.render(), shown)
            env.close()


def test_mujoco_s_names_are_there():
    for env in (gym.make("InfantArmReach-v0"), native("InfantArmReach-v0"), gym.make("InfantArm-v0", eye_size=SMALL)):
        body = env.unwrapped
        assert body.dt == pytest.approx(0.04)
        assert body.frame_skip * body.model.opt.timestep == pytest.approx(body.dt)
        assert body.model is body.arm.model


@pytest.mark.parametrize("name", ["InfantArm-v0", "InfantArmReach-v0"])
def test_frames_from_outside_have_the_size_and_camera_asked_for(name: str):
    import mujoco

    kind: dict[str, Any] = {"eye_size": SMALL, "width": 200, "height": 120}
    by_eye = gym.make(name, render_mode="rgb_array", camera_name="right_eye", **kind)
    outside = gym.make(name, render_mode="rgb_array", **kind)
    away = gym.make(name, render_mode="depth_array", **kind)
    frames = []
    for env in (by_eye, outside, away):
        env.reset(seed=1)
        frames.append(env.render())
    assert [(frame.shape, frame.dtype) for frame in frames] == [((120, 200, 3), np.uint8)] * 2 + [
        ((120, 200), np.float32)
    ]
    assert (frames[0] != frames[1]).any()
    renderer = mujoco.Renderer(away.unwrapped.model, 120, 200)
    renderer.enable_depth_rendering()
    renderer.update_scene(away.unwrapped.data, "outside")
    wanted = renderer.render()
    renderer.close()
    off = np.abs(frames[2] / wanted - 1)[wanted < 10]
    assert np.median(off) < 1e-4
    assert (off < 0.02).mean() > 0.98  # edges of bodies that are drawn with fewer slices differ
    many = native(name, 2, render_mode="depth_array", **kind)
    many.reset(seed=1)
    assert_same_bits(many.render()[0], frames[2])
    for env in (by_eye, outside, away, many):
        env.close()
    for wrong in ({"camera_name": "nose"}, {"width": 0}, {"height": 10**400}, {"width": 2.5}):
        with pytest.raises(ValueError, match=r"^got .*expected .*$"):
            gym.make(name, **wrong)


def test_code_that_knows_no_dictionaries_has_a_box():
    flat, usual = gym.make("InfantArmReachFlat-v0"), gym.make("InfantArmReach-v0")
    row, observation = flat.reset(seed=0)[0], usual.reset(seed=0)[0]
    assert (row.shape, row.dtype) == ((16,), np.float32)
    assert row.tolist() == gym.spaces.flatten(usual.observation_space, observation).tolist()
    many = gym.make_vec("InfantArmReachFlat-v0", 3)
    assert many.reset(seed=0)[0][0].tolist() == row.tolist()
