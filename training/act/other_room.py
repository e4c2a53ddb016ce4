"""Another room: the same body between a wall and on a floor of other colors and patterns."""

from dataclasses import replace

import mujoco
import numpy as np

from infant_env.body.model import ArmModel

_COLORS = (0.62, 0.42, 0.30), (0.95, 0.62, 0.55), (0.35, 0.50, 0.72)
"""What the floor and other things of the world are colored with, in turn: wood, rose, blue."""
_WALL = (0.45, 0.62, 0.45), (0.85, 0.80, 0.55)
_CHECK = 0.1
"""Side of a floor's squares, as a share of the scene's extent."""


def other_room(arm: ArmModel) -> ArmModel:
    """The same body in another room: a checkered wall, and checkers on all that is fixed to the world and no part of a body.

    The wall is a sky, which each body can have. The body itself, its pose and its arm stay as they are.
    """
    assert arm.spec is not None, "a copied body cannot be compiled again"
    spec = arm.spec.copy()
    for texture in list(spec.textures):
        if texture.type == mujoco.mjtTexture.mjTEXTURE_SKYBOX:
            spec.delete(texture)
    checker = {"builtin": mujoco.mjtBuiltin.mjBUILTIN_CHECKER}
    wall = {"type": mujoco.mjtTexture.mjTEXTURE_SKYBOX, "rgb1": _WALL[0], "rgb2": _WALL[1]}
    spec.add_texture(name="other wall", width=64, height=64, **checker, **wall)
    floor = {"type": mujoco.mjtTexture.mjTEXTURE_2D, "rgb1": [1.0] * 3, "rgb2": [0.6] * 3}
    spec.add_texture(name="other floor", width=64, height=64, **checker, **floor)
    often = 1 / (2 * _CHECK * arm.model.stat.extent)  # a texture holds two squares a side
    material = spec.add_material(name="other floor", texrepeat=[often, often], texuniform=True, specular=0)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "other floor"
    for number, geom in enumerate(each for each in spec.geoms if each.parent == spec.worldbody):
        geom.material, geom.rgba = "other floor", [*_COLORS[number % len(_COLORS)], geom.rgba[3]]
    model = spec.compile()
    assert np.array_equal(model.geom_bodyid, arm.model.geom_bodyid)
    return replace(arm, model=model, spec=spec)
