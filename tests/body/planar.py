"""A planar arm of two joints, with places for whatever may be wrong."""

from pathlib import Path
from typing import Any

from infant_env.body.model import ArmModel

PLANAR = """
<mujoco>
  <compiler angle="degree"/>
  {options}
  <worldbody>
    <light pos="0 0 2"/>
    <geom name="floor" type="plane" size="2 2 .1"/>
    <camera name="eye" pos="0 0 1.2" fovy="60"/>
    {world}
    <body name="base" pos="0 0 .5">{base}
      <body name="upper"><joint name="shoulder" axis="0 {axis}" range="-90 90"/>
        <geom type="capsule" fromto="0 0 0 .2 0 0" size=".03"/>
        <body name="lower" pos=".2 0 0"><joint name="elbow" axis="0 {axis}" range="0 150" {elbow}/>
          <geom type="capsule" fromto="0 0 0 .15 0 0" size=".025" contype="0"/>{hand}
        </body>
      </body>
    </body>
  </worldbody>
  {more}
</mujoco>
"""
JOINTS = ("shoulder", "elbow")


def planar(path: Path, **parts: str) -> Path:
    """Writes the arm; its parts are texts of MJCF, `axis` is "1 0" (it falls) or "0 1" (it does not)."""
    usual = {"options": "", "world": "", "base": "", "axis": "0 1", "elbow": "", "hand": "", "more": ""}
    path.write_text(PLANAR.format(**usual | parts))
    return path


def planar_arm(folder: Path, told: dict[str, Any] | None = None, **parts: str) -> ArmModel:
    """The body that is made of it."""
    return ArmModel.from_mjcf(planar(folder / "arm.xml", **parts), JOINTS, **told or {})
