/** Python's `drained(fd)`: returns once what the program wrote there has been read. A pause would be a guess. */
export const drained = `import fcntl, termios, time
def drained(fd):
    while any(fcntl.ioctl(fd, termios.FIONREAD, bytes(4))): time.sleep(0.0005)`;
