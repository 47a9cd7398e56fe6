"""The eleven classes of CamVid in the order of the SegNet copy; the value of a class is its train id."""

from enum import IntEnum


class StreetClass(IntEnum):
    """Train id of each class. Traffic lights count as signs, hedges and lawns as trees, as in the SegNet copy."""

    SKY = 0
    BUILDING = 1
    POLE = 2
    ROAD = 3
    SIDEWALK = 4
    TREE = 5
    SIGN = 6
    FENCE = 7
    CAR = 8
    PEDESTRIAN = 9
    BICYCLIST = 10
    VOID = 255


CLASS_NAMES = tuple(street_class.name.lower() for street_class in StreetClass if street_class != StreetClass.VOID)
