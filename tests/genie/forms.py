"""The forms of values that several outputs of IOS-XE share."""


def span(seconds):
    """A span of time as IOS prints it."""
    if seconds is None:
        return "never"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days == 0:
        return f"{hours:02}:{minutes % 60:02}:{seconds % 60:02}"
    if days < 7:
        return f"{days}d{hours % 24:02}h"
    return f"{days // 7}w{days % 7}d"


FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6", "IPv4": "IPv4", "IPv6": "IPv6"}


def words(number):
    return f"0x{number >> 32:08X}-0x{number & 0xffffffff:08X}"


NO_LIMIT = 4294967295
