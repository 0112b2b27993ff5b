"""Hand a script over to the server and end as it ends; without one, become the interpreter.

Run by its path, without site packages, as ``client.py INTERPRETER SOCKET ARGUMENT...``; it imports nothing of the
package, for it is what every job waits for.
"""

import contextlib
import json
import os
import signal
import socket
import sys

STREAMS = (0, 1, 2)


def handed_over(address: str, arguments: list[str]) -> int | None:
    """Return the wait status of the script, or None where the server did not take it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(address)
        except OSError:
            return None
        # Ctrl-C reaches the script as well, which belongs to the same group of processes
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        call = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
        text = json.dumps(call).encode()
        try:
            socket.send_fds(connection, [len(text).to_bytes(8, "big")], STREAMS)
            connection.sendall(text)
            answer = connection.makefile("r").readline()
        except OSError:
            answer = ""
    if not answer:
        # it may have begun: to run it once more beside itself would be worse than to fail
        sys.exit("The process that starts the jobs of this run has ended; start the run again.")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return None if answer.strip() == "refused" else int(answer)


def main() -> None:
    """Run one script."""
    interpreter, address, *arguments = sys.argv[1:]
    if len(arguments) == 1 and arguments[0].endswith(".py"):
        status = handed_over(address, arguments)
        if status is not None:
            code = os.waitstatus_to_exitcode(status)
            if code < 0:
                with contextlib.suppress(OSError):
                    # SIGKILL has no handler
                    signal.signal(-code, signal.SIG_DFL)
                os.kill(os.getpid(), -code)
            sys.exit(code)
    os.execv(interpreter, [interpreter, *arguments])


if __name__ == "__main__":
    main()
