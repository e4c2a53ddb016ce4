"""What is known of poses that were recorded and not simulated."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

SIMULATED_ONLY: dict[str, Any] = {
    "age_months": 0,
    "min_arm_in_view": 0,
    "mjcf": None,
    "arm_joints": [],
    "arm_bodies": [],
}
"""Fields of a recipe that say nothing of a recording: `dataset.json` leaves them out."""


Kind = Literal["pictures", "video", "lerobot", "minari", "env"]


class Recording(Struct, frozen=True, forbid_unknown_fields=True):
    """Where recorded poses come from. Such a data set has no body: nothing can be simulated or drawn anew."""

    kind: Kind
    """The command that imported it: `infant-arm import KIND`."""
    content: str
    """SHA-256 of all that was imported, hexadecimal."""
    background: Literal["given", "median"]
    """Whether the picture without the arm was given, or is the median of the frames."""
    hand: bool = False
    """Whether the recording knows where the hand is."""
    every: Annotated[int, Meta(ge=1)] = 1
    """Every how many frames one was imported."""


def completed(content: Any) -> Any:
    """The content of `dataset.json` with the fields that a recording leaves out."""
    recipe = content.get("config") if isinstance(content, dict) else None
    if not isinstance(recipe, dict) or "recording" not in recipe:
        return content
    return {**content, "config": SIMULATED_ONLY | recipe}
