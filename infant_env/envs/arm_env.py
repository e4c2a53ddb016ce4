"""`InfantArm-v0`: an infant, its arms, and what its eyes see of them."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ..body.changes.change import BodyChange
from ..body.checks import check_counts, check_options, checked_eye_size
from ..body.model import ArmModel
from ..senses.seen.seen import Seen
from ..senses.spaces import babbling_space
from ..tasks.start import OPTIONS, start
from .body_env import BodyEnv, Observation
from .simulated import hand_infos


class InfantArmEnv(BodyEnv, gym.Env[Observation, NDArray[np.float32]]):  # skrl looks at an environment's direct bases
    """An infant sits, moves its right arm, and watches it with its right eye.

    ## Description

    A simulated infant (12 months old by default) sits on a mat. Its right arm has five joints, each held by a position servo
    of an infant's strength; the rest of the body is fixed. The infant senses its arm with its right eye, a wide-angle camera,
    and with its joints (proprioception). The environment has no task: it is a body to babble with, after Jülg et al.,
    *Multi-Modal Representation Learning for Mapping Between Body Motion and Visual Imagery*, AMAM 2023. For tasks, see
    `InfantArmReach-v0` and wrappers.

    ## Action space

    `Box(-1, 1, (5,), float32)`: the target of each joint, from the lower (-1) to the upper (+1) end of its range. Other values
    are clipped. A servo holds its target against gravity; the arm takes .1 to .2 s to arrive, and a contact can stop it.

    | Num | Joint | Lower (deg) | Upper (deg) |
    |-----|-------|-------------|-------------|
    | 0 | `right_shoulder_flexion` | -52.0 | 115.0 |
    | 1 | `right_shoulder_abduction` | 0.0 | 90.0 |
    | 2 | `right_shoulder_rotation` | -118.0 | 72.0 |
    | 3 | `right_elbow_flexion` | 0.0 | 148.0 |
    | 4 | `right_forearm_rotation` | -81.0 | 90.0 |

    ## Observation space

    | Key | Shape | Type | Unit | Content |
    |-----|-------|------|------|---------|
    | `eye` | (300, 500, 3) | uint8 | | RGB frame of the right eye's camera |
    | `joints` | (5,) | float32 | rad | joint angles, in the order of the actions |
    | `joint_velocities` | (5,) | float32 | rad/s | joint velocities |

    `infant_env.to_gray` turns `eye` into the 64x64 picture that the agents work on.

    ## Rewards

    Always 0.

    ## Starting state

    The arm is at rest in a pose drawn uniformly over the joint ranges; it is redrawn while the arm penetrates the body by more
    than 5 mm. `reset(options={"joints": ...})`, shape (5,), rad, sets the pose, and is refused if it penetrates by more.

    ## Episode end

    Never terminated; truncated after 250 steps (10 s at 25 Hz).

    ## Info

    | Key | Shape | Unit | Content |
    |-----|-------|------|---------|
    | `hand_position` | (3,) | m | the palm in the world, x forward, y to the left, z up |
    | `penetration` | () | m | depth of the arm's deepest contact, 0 when it touches nothing |

    With `arms="both"` there is also `left_hand_position`, and `hand_position` is the right palm.

    ## Arguments

    ```python
    import gymnasium as gym
    import infant_env

    env = gym.make("InfantArm-v0", age_months=6.0, eye_size=(150, 250), render_mode="rgb_array")
    ```

    | Argument | Default | Meaning |
    |----------|---------|---------|
    | `age_months` | 12.0 | age of the infant, 1 to 24 months |
    | `eye_size` | (300, 500) | rows and columns of `eye`, 36 or more each |
    | `arm` | None | an `infant_env.ArmModel` to use instead of the infant, made from any MJCF, or its `body.as_dict()` |
    | `render_mode` | None | `"rgb_array"`, or `"depth_array"` in m: the infant from outside; `"human"`: MuJoCo's viewer |
    | `width` | 640 | columns of the frames from outside |
    | `height` | 480 | rows of the frames from outside |
    | `camera_name` | None | name of the camera from outside, in the body's model; None: the body's own |
    | `senses` | None | noise and delay of the senses by name, or `"age"`; None: perfect senses |
    | `acuity` | None | the finest grating that the eye sees, cycles per degree, or `"age"`; None: no blur |
    | `eyes` | None | which eyes see, `"right"`, `"left"` or `"both"`; None: the one on the arm's side, or those of `arm` |
    | `gaze` | None | what turns the gaze, `"held"`, `"eyes"` or `"head"`; None: held, or as that of `arm` |
    | `fovea` | None | whether to observe what the middle of the eye sees too; None: not, or as `arm` does |
    | `arms` | None | which arms move, `"right"`, `"left"` or `"both"`; None: the right one, or those of `arm` |
    | `wrist` | None | whether the wrists move, True or False; None: they do not, or as those of `arm` |
    | `touch` | False | whether touch is felt |
    | `change` | None | how the body differs from that of its age, an `infant_env.BodyChange`; None: not, or as `arm` does |
    | `seen` | None | how the arm is seen elsewhere than it is felt, an `infant_env.Seen`; None: where it is |

    ## Noise and delay

    `senses={"joints": Sense(noise=5.0, delay_ms=120.0), "eye": Sense(noise=0.02)}` makes senses imperfect (`infant_env.Sense`).
    Their names are the keys of the observation.

    - **Noise** is the standard deviation of normal noise, new in each observation: degrees (`joints` and `gaze`, up to 45),
      degrees/s (`joint_velocities`, up to 1000), N (`touch`, up to 50; each patch has noise of its own, which may bring it below
      0), or a share of the 255 gray levels (`eye`, .003 to .25). Each byte of a frame has noise of
      its own; `to_gray` averages over pixels, and so leaves a ninth of it.
    - **A delay** of up to 10 s need not be a multiple of a step. Joints, gaze and touch are felt, and the arm is seen, in the
      exact pose of that moment. Before an episode, the arm was at rest in its starting pose.
    - `senses="age"` takes values from the literature: the eye's delay is 204 ms at 1 month and 104 ms from 3.5 months on; the
      joints have noise of 9.7 degrees and a delay of 19.5 ms. No study measured infants' joints, so the noise is that of young
      children, and the delay that of schoolchildren; `infant_env/senses/sense.py` names the sources.
    - The seed of `reset` sets the noise too. Starts and motion do not depend on it. Infos stay true.

    ## Acuity

    `acuity="age"` blurs frames to the grating acuity of the infant's age: .9, 5.7, 6.4 and 9.6 cycles per degree at 1, 6, 12 and
    24 months (Teller acuity cards; Mayer et al. 1995). In the frame's middle, a grating of this frequency keeps a tenth of its
    contrast. A frame of 300x500 pixels has 2.6 pixels per degree there and shows 1.3 cycles per degree at best: the blur
    changes it up to the age of 4 months. To show 6.4 cycles per degree, it takes 1500 rows.

    ## Eyes

    `eyes="left"` shows the left eye's frames as `eye`. With `eyes="both"`, `eye` is the right eye's frame, and `eye_left`, of
    the same shape, the left eye's. The eyes are 4 to 4.6 cm apart and look in the same direction. `acuity`, noise and delay hold
    for both; their noise is independent. A body from an MJCF file has one eye.

    ## Gaze

    With `gaze="eyes"` both eyes turn together in the held head; with `gaze="head"` the head turns, with the eyes fixed in it.
    The action has two more numbers, the targets of the gaze: 30 degrees to the left (+1) or right (-1), and 20 degrees down (+1)
    or up (-1) of where the held gaze looks. The observation has one more entry, `gaze` (2,) float32: the two angles, rad.
    A turn takes .1 s (eyes) or .2 s (head). An episode begins with both angles 0, or with those of
    `reset(options={"gaze": ...})`, and `action_for(joints)` brings them back to 0. The gaze of a body from an MJCF file is held.

    ## Fovea

    With `fovea=True` the observation has one more entry, `fovea` (128, 128, 3) uint8: the middle of what `eye` sees, 30 degrees
    wide and high, in frames of their own. It turns with the gaze. It has 4.2 pixels per degree in its middle, and shows 2.1
    cycles per degree at best; `eye` has 2.6 and 1.3. `seen`, `acuity`, noise and delay of `eye` hold for it too; its blur is that
    of its own pixels, and its noise is independent. `acuity="age"` changes it up to the age of 5 months. A body from an MJCF file
    can have a fovea if the camera of its eye is fixed to a body. Agents see `eye` alone.

    ## Arms

    `arms="left"` moves the left arm: the mirror image of the right one. Its joints are `left_shoulder_flexion` and so on, with
    the same ranges, each positive in the direction of its name. The right arm then lies on its thigh, the held head looks to the
    left, and the left eye sees, unless `eyes` names another.

    `arms="both"` moves both. Actions and joints have the five numbers of the right arm first, then the five of the left one.
    The arms are solid: they touch and stop each other, and a pose is valid only if no arm is more than 5 mm deep in the other.
    The held head looks straight ahead and down, and the right eye sees, unless `eyes` names another. Most poses have the hands
    far apart at the sides: 40 % show an arm in 1 % of the pixels or more; of these, 48 % show the right hand, 38 % the left one,
    and 10 % both.

    `wrist=True` adds two joints to each arm that moves, after its five:

    | Num | Joint | Lower (deg) | Upper (deg) |
    |-----|-------|-------------|-------------|
    | 5 | `right_wrist_flexion` | -82.0 | 88.0 |
    | 6 | `right_wrist_radial_deviation` | -36.0 | 22.0 |

    | `arms` | `wrist` | Joints |
    |--------|---------|--------|
    | `"right"` or `"left"` | False | 5 |
    | `"right"` or `"left"` | True | 7 |
    | `"both"` | False | 10: right 0 to 4, left 5 to 9 |
    | `"both"` | True | 14: right 0 to 6, left 7 to 13 |

    Wrist flexion has the range of infants (Watanabe et al., 0 to 2 years). No study measured infants' radial deviation (toward
    the thumb) and ulnar deviation: these are means of persons of 1 to 54 years (Boone & Azen 1979). The arm of a body from an
    MJCF file is the one whose joints are named.

    ## Touch

    With `touch=True` the observation has one more entry, `touch` (525,) float32, N: how strongly each of 525 patches of skin is
    pressed. They lie on arms, hands, trunk, head, legs and feet, about 3 cm apart on trunk and limbs, 2 cm on the face and 1 to
    2 cm on the hands. An infant of any age has the same patches; their areas grow with it. A hand on the thigh is felt twice, by
    the hand and by the thigh.

    A touch is a contact of MuJoCo. Its force is the depth of the contact times 10 N per mm, at most 100 N; so it depends on the
    pose alone. An arm that presses the body is pushed back by about as much (8 to 13 N per mm); `infant_env/senses/skin/touch.py`
    gives the reasons.

    ```python
    env = gym.make("InfantArm-v0", touch=True)
    observation, info = env.reset(seed=0)
    touch = env.unwrapped.touch
    touch.names[0], touch.areas[0]  # "waist_front" and its area, m^2
    touch.centers(env.unwrapped.data)  # (525, 3), m, in the world
    touch.touched(env.unwrapped.data)  # positions, forces and names of the places that are touched now
    ```

    Of a body from an MJCF file, each shape (geom) of the robot that makes contact is one patch, named like the shape or its body.

    ## A body that changes

    `change=BodyChange(forearm=1.3, rod=(0.2, 0.05), locked={"right_elbow_flexion": 1.0})` makes the body differ from that of its
    age: lengths of `upper_arm`, `forearm` and `hand`, relative to those of the age; a `rod` in the hand (length in m from the
    palm to the tip, mass in kg), whose tip is at `env.unwrapped.arm.rod_tip(env.unwrapped.data)`; joints that are `locked` at an
    angle (rad); and joints that are `weak` (a share of their torque limits). Poses are drawn with the locked joints at their
    angles. The entry `hand_position` stays the palm. Contacts push the joints of a changed body farther than those of a usual
    one, so the spaces of its joints and velocities are as wide as those of a body from an MJCF file.

    `env.unwrapped.change(body)` gives the infant another body at any step: an age in months, a `BodyChange`, or a `Body`.
    The episode goes on with the same joint angles, velocities, servos' targets and time; the spaces stay valid. A body that is
    deep in itself is pushed out by contacts. `change(None)` gives the first body back. `gym.make_vec` takes one `age_months`,
    `arm` or `change` for each infant. A body from an MJCF file stays as it is.

    ## An arm that is seen elsewhere

    `seen=Seen(turn=15.0)` shows the arm elsewhere than it is felt, in front of the same background, as a prism, a mirror or a
    rubber hand does. The joints, touch, physics and infos stay true. `env.unwrapped.show(Seen(...))` sets it at any step,
    `show(None)` ends it.

    | Field | Meaning |
    |-------|---------|
    | `shift` | to the front, to the left and up, m |
    | `turn` | degrees to the left about a vertical axis through the eye (a prism) or, with `about="shoulder"`, the shoulder |
    | `mirror` | left and right of each eye's picture are exchanged for the arm |
    | `delay_ms` | the arm is later than the rest of the picture |
    | `joints`, `offsets` | the seen arm is in these angles instead, or in its pose plus these; rad, by the joints' names |
    | `body` | the arm of another body is seen, at the own shoulder: an age, a `BodyChange` or a `Body` |
    | `color` | red, green and blue of the seen arm, 0 to 1 each |

    The arm of an MJCF file can be shown elsewhere too; one with meshes cannot be mirrored, and it cannot be another body's.

    ## What is good to know

    - **Many at once.** `gym.make_vec("InfantArm-v0", n)` steps n infants in one process and on all cores
      (`InfantArmVectorEnv`), with the same results bit for bit. `vectorization_mode="async"` starts processes that open
      OpenGL themselves. If this process has already drawn a frame, start them with `vector_kwargs={"context": "spawn"}`; then
      the script needs `if __name__ == "__main__":`, and the id `"infant_env:InfantArm-v0"` makes the new process import
      this package.
    - **Closing.** `env.close()` frees the OpenGL context at once. Garbage collection frees it too, and no other context.
    - **Copies.** A pickled or deep-copied environment continues exactly as the original would.
    - **MuJoCo.** `env.unwrapped.model`, `.data`, `.dt` (.04 s) and `.frame_skip` have the meaning that MuJoCo's users expect.
      If the physics becomes unstable, which bodies from MJCF files can, a `DivergedError` ends the episode.
    - **The viewer.** `render_mode="human"` opens one window per environment, in real time; the mouse turns, zooms and pulls,
      the space bar pauses. Without a display it warns once and shows nothing.
    - **Checkers.** Give `env.unwrapped` to `check_env` of Gymnasium and of stable-baselines3.

    ## Version history

    * v0: first version. Since 0.2 the space of `joints` is wider (.35 rad instead of .1 beyond the ranges), because contacts can
      push a joint out by .18 rad; a reset refuses poses that penetrate the body.
    """

    def __init__(
        self,
        render_mode: str | None = None,
        age_months: float = 12.0,
        eye_size: tuple[int, int] = (300, 500),
        arm: ArmModel | Mapping[str, Any] | None = None,
        width: int = 640,
        height: int = 480,
        camera_name: str | None = None,
        senses: Mapping[str, Any] | str | None = None,
        acuity: float | str | None = None,
        eyes: str | None = None,
        gaze: str | None = None,
        fovea: bool | None = None,
        arms: str | None = None,
        wrist: bool | None = None,
        touch: bool = False,
        change: BodyChange | Mapping[str, Any] | None = None,
        seen: Seen | Mapping[str, Any] | None = None,
    ) -> None:
        size = checked_eye_size(eye_size)
        view = width, height, camera_name
        sensed = senses, acuity
        super().__init__(
            render_mode, age_months, size, arm, *view, *sensed, eyes, gaze, fovea, arms, wrist, touch, change, seen
        )
        self._adapt()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Starts an episode at rest, see "Starting state" above.

        Raises:
            UserError: an option is unknown, the joints or the gaze have a wrong shape, are not finite or out of range, the arm is
                deep in the body, or the gaze is held.
        """
        super().reset(seed=seed)
        given = check_options(options, OPTIONS)
        data = self.arm.new_data() if given else self.data  # a refused option leaves the episode as it is
        joints, gaze = start(self.arm, data, self.np_random, given)
        self.arm.pose(self.data, joints, gaze)
        self._sense_start()
        self._begun = True
        return self._observe()

    def step(self, action: NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Sets the servos' targets and simulates 40 ms.

        Raises:
            ResetNeeded: no episode has begun.
            UserError: the action has a wrong shape or is not finite.
            DivergedError: the physics became unstable.
        """
        observation, info = self.hold(action, 1)
        return observation, 0.0, False, False, info

    def hold(self, action: NDArray[np.float32], steps: int) -> tuple[Observation, dict[str, Any]]:
        """Sets the servos' targets and simulates several control steps; the eye's frame is rendered only at the end.

        Args:
            action: as in `step`.
            steps: number of control steps of 40 ms, 1 or more.

        Returns:
            Observation and info after the last step.

        Raises:
            ResetNeeded: no episode has begun.
            UserError: the action has a wrong shape or is not finite, or `steps` is not a whole number of 1 or more.
            DivergedError: the physics became unstable.
        """
        check_counts(steps=steps)
        self._move(action, steps)
        mujoco.mj_fwdPosition(self.model, self.data)  # mj_step leaves positions one substep behind
        return self._observe()

    def _space(self) -> spaces.Dict:
        assert self.eye_size is not None
        return babbling_space(self.arm, self.eye_size, self.senses, self.touch)

    def _observe(self) -> tuple[Observation, dict[str, Any]]:
        """Observation and info; also updates the window."""
        self._onlooker.watch(self.data)
        joints, velocities = np.split(self._feel(), 2)
        observation: Observation = {
            **self._see(),
            **self._gaze(),
            **self._touch(),
            "joints": joints,
            "joint_velocities": velocities,
        }
        hands = hand_infos(self.arm, self.arm.hand_positions(self.data))
        return observation, {**hands, "penetration": self.arm.penetration(self.data)}
