"""Where bytes may be cut without splitting a UTF-8 character."""


def character_length(lead: int) -> int:
    """The length that a character's first byte announces; 1 for a byte that begins none."""
    if 0xC2 <= lead <= 0xDF:
        return 2
    if 0xE0 <= lead <= 0xEF:
        return 3
    if 0xF0 <= lead <= 0xF4:
        return 4
    return 1


def is_continuation(byte: int) -> bool:
    return byte & 0xC0 == 0x80


def boundary(data: bytes | bytearray, at: int) -> int:
    """The last place, `at` or up to 3 bytes before it, that splits no character. What follows `data` is unknown."""
    if at < len(data) and not is_continuation(data[at]):
        return at
    for back in range(1, min(at, 3) + 1):
        byte = data[at - back]
        if not is_continuation(byte):
            return at - back if character_length(byte) > back else at
    return at
