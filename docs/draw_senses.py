"""Draws the pictures of the senses on the page of the environments. `python docs/draw_senses.py`"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import mujoco
import numpy as np
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from infant_env import ArmModel, InfantArmEnv, Sense
from infant_env.senses.acuity import Blur, acuity_at
from infant_env.senses.camera import EyeCamera, OutsideCamera
from infant_env.senses.looking import look_at

HERE = Path(__file__).parent
POSE = np.deg2rad([35.0, 25.0, -35.0, 95.0, 0.0])
"""A pose that shows the forearm and the hand."""
BOTH = np.deg2rad([61.0, 49.0, 63.0, 111.0, -77.0, 67.0, 42.0, 65.0, 111.0, -79.0])
"""A pose of both arms that shows both hands."""
WIDE, GAP = 900, 8
"""Width of a picture, and between its parts, pixels."""
CARD_DENSITY = 24
"""Pixels per degree of the card with gratings."""
Frame = NDArray[np.uint8]


def main() -> None:
    """Draws all pictures."""
    noise()
    delay()
    acuity()
    two_eyes()
    gaze()
    fovea()
    arms()


def noise() -> None:
    """The hand in one pose, seen with three strengths of noise; one pixel of the eye is two pixels wide."""
    cells = []
    for strength in (0.0, 0.02, 0.1):
        env = InfantArmEnv(senses={"eye": Sense(noise=strength)})
        observation, _ = env.reset(seed=0, options={"joints": POSE})
        cells.append((f"noise={strength:g}", observation["eye"][108:196, 165:312].repeat(2, axis=0).repeat(2, axis=1)))
        env.close()
    save("senses_noise.png", [cells], 64)


def delay() -> None:
    """Where the elbow is, and where it is felt with noise and a delay, while the arm moves to and fro."""
    senses = {"joints": Sense(noise=5.0, delay_ms=120.0)}
    env = InfantArmEnv(eye_size=(36, 60), senses=senses)
    env.reset(seed=0, options={"joints": POSE})
    true, felt, elbow = [], [], 3
    for step in range(75):
        target = POSE.copy()
        target[elbow] += np.deg2rad(40) * np.sin(2 * np.pi * step / 37.5)
        observation, *_ = env.step(env.action_for(target))
        true.append(env.data.qpos[env.arm.qpos_ids[elbow]])
        felt.append(observation["joints"][elbow])
    env.close()
    seconds = np.arange(1, 76) * env.dt
    mpl.rcParams.update({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(figsize=(WIDE / 100, 2.6), dpi=100, layout="constrained")
    axes.plot(seconds, np.degrees(true), color="#0072B2", linewidth=2, label="where the elbow is")
    axes.plot(seconds, np.degrees(felt), ".", color="#D55E00", label="where it is felt: noise=5, delay_ms=120")
    axes.set(xlabel="time (s)", ylabel="elbow flexion (degrees)", xlim=(0, 3.04))
    axes.legend(frameon=False, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.savefig(HERE / "senses_delay.png")


def acuity() -> None:
    """The hand, and a card with gratings, as eyes of four ages see them."""
    arm = ArmModel.infant()
    data, size = placed(arm, POSE), (1500, 2500)
    rows: list[list[tuple[str, Frame]]] = [[], []]
    for months in (1, 3, 6, 12):
        cycles = acuity_at(months)
        eye = EyeCamera(arm, size, cycles)
        rows[0].append(
            (f"{months} month{'s' * (months > 1)}: {cycles:.1f} cycles/degree", eye.render(data)[560:830, 905:1355])
        )
        rows[1].append(("", Blur(cycles, CARD_DENSITY)(card())))
        eye.close()
    save("senses_acuity.png", rows, 64)


def card() -> Frame:
    """Gratings of 1, 3 and 6 cycles per degree on gray, each 2 degrees wide."""
    side, wide = 2 * CARD_DENSITY, (WIDE - 3 * GAP) // 4
    room = (wide - 3 * side) // 4
    gray = np.full((side + 12, wide), 128)
    degrees = (np.arange(side) + 0.5) / CARD_DENSITY
    for k, cycles in enumerate((1, 3, 6)):
        left = room + k * (side + room)
        gray[6:-6, left : left + side] = np.where(cycles * degrees % 1 < 0.5, 238, 18)
    return gray.astype(np.uint8)[..., None].repeat(3, axis=2)


def two_eyes() -> None:
    """What the left and the right eye see of one pose."""
    arm = ArmModel.infant(eyes="both")
    eye, data = EyeCamera(arm), placed(arm, POSE)
    save(
        "senses_eyes.png",
        [[("eye_left: the left eye", eye.render(data, "eye_left")), ("eye: the right eye", eye.render(data))]],
        256,
    )
    eye.close()


def gaze() -> None:
    """What one eye sees of one pose at five gazes."""
    arm = ArmModel.infant(gaze="eyes")
    eye, data = EyeCamera(arm), arm.new_data()
    cells = []
    for words, turned in (
        ("30° to the left", (30, 0)),
        ("20° up", (0, -20)),
        ("straight", (0, 0)),
        ("20° down", (0, 20)),
        ("30° to the right", (-30, 0)),
    ):
        arm.pose(data, POSE, np.deg2rad(turned))
        cells.append((words, eye.render(data)))
    eye.close()
    save("senses_gaze.png", [cells], 128)


def fovea() -> None:
    """The wide view with the fovea's frame, and the fovea's picture, of infants of two ages who look at their hands."""
    rows = []
    for months in (1.0, 12.0):
        arm = ArmModel.infant(months, gaze="eyes", fovea=True)
        data = placed(arm, POSE)
        gaze = look_at(arm, data, arm.hand_position(data))
        arm.pose(data, POSE, gaze)
        eye = EyeCamera(arm, acuity=acuity_at(months))
        wide = Image.fromarray(eye.render(data))
        half = np.tan(np.deg2rad(15)) / np.tan(np.deg2rad(arm.model.camera(arm.eye_camera).fovy[0] / 2)) * 150
        ImageDraw.Draw(wide).rectangle((250 - half, 150 - half, 250 + half, 150 + half), outline="#D55E00", width=2)
        fine = Image.fromarray(eye.render(data, "fovea")).resize((300, 300), Image.Resampling.NEAREST)
        side_by_side = np.concatenate((np.asarray(wide), np.full((300, 8, 3), 255, np.uint8), np.asarray(fine)), axis=1)
        rows.append([(f"{months:.0f} month{'s' * (months > 1)}: eye, and fovea", side_by_side)])
        eye.close()
    save("senses_fovea.png", rows, 128)


def arms() -> None:
    """The infant from outside, and what it sees, with its left arm and with both arms."""
    above, below = [], []
    for words, sides, pose in (
        ('arms="right"', "right", POSE),
        ('arms="left"', "left", POSE),
        ('arms="both"', "both", BOTH),
    ):
        arm = ArmModel.infant(arms=sides)
        outside, eye, data = OutsideCamera(arm, (360, 600)), EyeCamera(arm), placed(arm, pose)
        above.append((words, outside.render(data)))
        below.append(("what its eye sees", eye.render(data)))
        outside.close()
        eye.close()
    save("senses_arms.png", [above, below], 128)


def placed(arm: ArmModel, pose: NDArray[np.float64]) -> mujoco.MjData:
    """The body at rest in a pose."""
    data = arm.new_data()
    arm.pose(data, pose)
    return data


def save(name: str, rows: Sequence[Sequence[tuple[str, Frame]]], colors: int) -> None:
    """Writes rows of labelled pictures, `WIDE` pixels wide in all, with at most this number of colors."""
    across = len(rows[0])
    wide = (WIDE - GAP * (across - 1)) // across
    whole_rows = []
    for row in rows:
        cells: list[Any] = []
        for words, frame in row:
            size, bar = (wide, round(wide * frame.shape[0] / frame.shape[1])), 24 if words else GAP
            cell = Image.new("RGB", (wide + GAP * (len(cells) < across - 1), size[1] + bar), "white")
            cell.paste(Image.fromarray(frame).resize(size, Image.Resampling.BOX), (0, bar))
            ImageDraw.Draw(cell).text((0, 4), words, "black", ImageFont.load_default(15))
            cells.append(np.asarray(cell))
        whole_rows.append(np.concatenate(cells, axis=1))
    picture = Image.fromarray(np.concatenate(whole_rows)).quantize(colors)
    picture.save(HERE / name, optimize=True)


if __name__ == "__main__":
    main()
