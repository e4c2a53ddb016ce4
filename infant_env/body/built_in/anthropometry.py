"""Sizes, masses, joint ranges and torques of an infant of N months, with their sources."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError
from ...given import numbers, shown

YOUNGEST, OLDEST = 1.0, 24.0
"""Youngest and oldest age, months, for which all sources below have data."""

ARM_JOINTS = ("shoulder_flexion", "shoulder_abduction", "shoulder_rotation", "elbow_flexion", "forearm_rotation")
WRIST_JOINTS = ("wrist_flexion", "wrist_radial_deviation")
JOINT_NAMES = tuple(f"right_{joint}" for joint in ARM_JOINTS)

_WHO_MONTHS = (0, 3, 6, 9, 12, 18, 24)
_WHO = {  # WHO Child Growth Standards, medians (boys, girls)
    "length": ((0.499, 0.614, 0.676, 0.720, 0.757, 0.823, 0.878), (0.491, 0.598, 0.658, 0.701, 0.740, 0.807, 0.864)),
    "head_circumference": (
        (0.345, 0.405, 0.433, 0.450, 0.461, 0.474, 0.482),
        (0.339, 0.395, 0.422, 0.438, 0.449, 0.462, 0.472),
    ),
    "mass": ((3.35, 6.37, 7.94, 8.90, 9.65, 10.94, 12.15), (3.23, 5.84, 7.30, 8.23, 8.95, 10.23, 11.47)),
}

_SEGMENT_MONTHS = (0, 1, 3, 6, 9, 12, 18, 24)
_SEGMENTS = {  # fits to the means of Snyder et al. 1977 (NIST AnthroKids); girths at 0 months are extrapolated
    "upper_arm_length": (0.108, 0.112, 0.119, 0.129, 0.138, 0.145, 0.158, 0.169),
    "elbow_to_fingertip": (0.146, 0.152, 0.163, 0.176, 0.187, 0.196, 0.212, 0.225),
    "forearm_length": (0.082, 0.084, 0.089, 0.096, 0.102, 0.108, 0.117, 0.126),
    "hand_length": (0.064, 0.068, 0.074, 0.080, 0.085, 0.089, 0.095, 0.099),
    "hand_breadth": (0.036, 0.037, 0.040, 0.042, 0.044, 0.045, 0.047, 0.048),
    "upper_arm_girth": (0.092, 0.119, 0.130, 0.138, 0.142, 0.145, 0.150, 0.153),
    "forearm_girth": (0.094, 0.119, 0.130, 0.137, 0.141, 0.144, 0.148, 0.151),
    "hip_breadth": (0.098, 0.131, 0.146, 0.156, 0.162, 0.166, 0.171, 0.176),
    "upper_arm_mass": (0.074, 0.126, 0.161, 0.195, 0.223, 0.247, 0.287, 0.321),
    "forearm_mass": (0.057, 0.090, 0.112, 0.135, 0.154, 0.171, 0.200, 0.224),
}

_HAND_TO_FOREARM_MASS = (
    0.38  # of adults (de Leva 1996: .61 % and 1.62 % of the body's mass); no source measured infants
)

_EYE_DISTANCE = ((0, 12, 24), (0.0405, 0.0430, 0.0465))  # 40.5 mm in the first year, 43 to 46.5 in the second

_SITTING_TO_LENGTH = ((0, 12, 24), (0.66, 0.625, 0.60))  # crown to rump / length; legs grow faster than the trunk

# Watanabe et al., 0 to 2 years, degrees (lower, upper): the narrowest of the age groups' means. Zero is the hanging arm with
# the thumb forward; flexion, abduction, medial rotation, elbow flexion and pronation are positive. Newborns' elbows lack 19
# degrees of extension; we assume that this is gone at three months. The other ranges do not change with age.
# The shoulder blade is fixed here, and two thirds of the arm's elevation come from the shoulder joint (Inman et al. 1944):
# flexion ends at two thirds of the measured 172 degrees, and extension, by analogy, at two thirds of the measured 78.
# Abduction ends at 90: to raise the arm further sideways, the shoulder must also rotate laterally, and independent joints
# cannot enforce that.
_RANGES_DEG = ((-52.0, 115.0), (0.0, 90.0), (-118.0, 72.0), (0.0, 148.0), (-81.0, 90.0))
_LACKING_ELBOW_EXTENSION_DEG = ((0, 3), (19.0, 0.0))

# Flexion and extension of the wrist as above (Watanabe et al.). Deviation to the thumb's side and to the little finger's side:
# no source measured infants; these are the means of Boone & Azen 1979, 1 to 54 years.
_WRIST_RANGES_DEG = ((-82.0, 88.0), (-36.0, 22.0))

# Peak torques at 18 months, N m, from MIMo (Mattern et al.): the weaker direction of each joint.
_TORQUES_18_MONTHS = (1.8, 2.75, 1.6, 3.0, 0.7)
_WRIST_TORQUES_18_MONTHS = (0.71, 0.83)


@dataclass(frozen=True)
class Anthropometry:
    """One infant's measures: means of the boys' and girls' medians (WHO), or AnthroKids means; metres and kilograms."""

    age_months: float
    length: float
    """Crown to heel, lying."""
    sitting_height: float
    """Crown to seat."""
    head_circumference: float
    eye_distance: float
    """Between the pupils."""
    mass: float
    hip_breadth: float
    upper_arm_length: float
    """Shoulder to elbow."""
    elbow_to_fingertip: float
    forearm_length: float
    """Elbow to wrist."""
    hand_length: float
    """Wrist to tip of the middle finger."""
    hand_breadth: float
    upper_arm_girth: float
    forearm_girth: float
    upper_arm_mass: float
    forearm_mass: float
    """Without the hand."""
    hand_mass: float

    @classmethod
    def at(cls, age_months: float = 12.0) -> "Anthropometry":
        """Measures at this age, interpolated linearly between the tabulated ages.

        Raises:
            UserError: the age is not between 1 and 24 months.
        """
        age = check_age(age_months)
        who = {name: float(np.interp(age, _WHO_MONTHS, np.mean(sexes, axis=0))) for name, sexes in _WHO.items()}
        segments = {name: float(np.interp(age, _SEGMENT_MONTHS, values)) for name, values in _SEGMENTS.items()}
        return cls(
            age_months=age,
            sitting_height=who["length"] * float(np.interp(age, *_SITTING_TO_LENGTH)),
            eye_distance=float(np.interp(age, *_EYE_DISTANCE)),
            hand_mass=_HAND_TO_FOREARM_MASS * segments["forearm_mass"],
            **who,
            **segments,
        )

    @property
    def joint_ranges(self) -> NDArray[np.float64]:
        """Lower and upper end of an arm's joints, in the order of `ARM_JOINTS`, shape (5, 2), rad."""
        ranges = np.deg2rad(_RANGES_DEG)  # (5, 2)
        ranges[3, 0] = np.deg2rad(np.interp(self.age_months, *_LACKING_ELBOW_EXTENSION_DEG))
        return ranges

    @property
    def wrist_ranges(self) -> NDArray[np.float64]:
        """Lower and upper end of a wrist's joints, in the order of `WRIST_JOINTS`, shape (2, 2), rad."""
        return np.deg2rad(_WRIST_RANGES_DEG)

    @property
    def torque_limits(self) -> NDArray[np.float64]:
        """Peak torque of an arm's joints, in the order of `ARM_JOINTS`, shape (5,), N m.

        Torques scale with the body's mass x length, as the moment of the weight does. If they scaled with volume, a young
        infant could not lift its arm.
        """
        return np.array(_TORQUES_18_MONTHS) * self._strength

    @property
    def wrist_torque_limits(self) -> NDArray[np.float64]:
        """Peak torque of a wrist's joints, in the order of `WRIST_JOINTS`, shape (2,), N m."""
        return np.array(_WRIST_TORQUES_18_MONTHS) * self._strength

    @property
    def _strength(self) -> float:
        """Torques, relative to those at 18 months."""
        reference = Anthropometry.at(18.0)
        return self.mass * self.length / (reference.mass * reference.length)


def check_age(age_months: float) -> float:
    """Checks an age and returns it as a float.

    Raises:
        UserError: the age is not a number between 1 and 24 months.
    """
    age = numbers(age_months)
    if age.shape != () or not YOUNGEST <= age <= OLDEST:
        raise UserError(
            f"got age_months={shown(age_months)}, expected a number from {YOUNGEST:g} to {OLDEST:g}; "
            "the sources have no data for other ages (two years are 24 months)"
        )
    return float(age_months)
