"""Draws `skin.png`: all patches of touch as dots on the infant. `python docs/draw_skin.py`"""

from pathlib import Path

import mujoco
import numpy as np
from PIL import Image

from infant_env import ArmModel
from infant_env.senses.skin.touch import Touch

SIZE = 420
VIEWS = ((160, -12, 0.85, (0.08, 0.0, 0.2)), (225, -8, 0.72, (0.05, 0.0, 0.24)), (-25, -20, 0.85, (0.05, 0.0, 0.22)))
"""Azimuth and elevation in degrees, distance in m, and the point in the middle."""

arm = ArmModel.infant()
touch, data = Touch(arm), arm.new_data()
arm.place(data, np.deg2rad([20, 35, 0, 20, 0]))
arm.model.geom_rgba[arm.model.geom_contype == 0, 3] = 0.4  # shapes that feel nothing, such as hair and sleeves
arm.model.vis.global_.offwidth = arm.model.vis.global_.offheight = SIZE
arm.model.geom_rgba[(arm.model.geom_contype == 0) & (arm.model.geom_bodyid > 0), 3] = (
    0.4  # hair, sleeves: they feel nothing
)
renderer, pictures = mujoco.Renderer(arm.model, SIZE, SIZE, max_geom=2000), []
for azimuth, elevation, distance, middle in VIEWS:
    camera = mujoco.MjvCamera()
    camera.azimuth, camera.elevation, camera.distance, camera.lookat[:] = azimuth, elevation, distance, middle
    renderer.update_scene(data, camera)
    scene = renderer.scene
    for name, center in zip(touch.names, touch.centers(data), strict=True):
        color = [0.84, 0.37, 0.0, 1] if "right" in name.split("_") else [0.0, 0.45, 0.7, 1]
        dot = np.full(3, 0.0045), center, np.eye(3).ravel(), np.float32(color)
        mujoco.mjv_initGeom(scene.geoms[scene.ngeom], mujoco.mjtGeom.mjGEOM_SPHERE, *dot)
        scene.ngeom += 1
    pictures.append(renderer.render())
Image.fromarray(np.hstack(pictures)).quantize(64).save(Path(__file__).with_name("skin.png"), optimize=True)
