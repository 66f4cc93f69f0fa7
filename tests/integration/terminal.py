"""A program at a terminal that can do nothing, so that what it shows is what it prints."""
import os
import pty
import select

from ldms import wait_for


class Terminal:
    """`prompt` is what the program prints when it takes the next line."""

    def __init__(self, argv, prompt, env=None):
        self.prompt, self.seen = prompt, ""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "dumb", **(env or {})})

    def read(self):
        """Take what is there; True at the end."""
        if select.select([self.fd], [], [], 0.02)[0]:
            try:
                self.seen += os.read(self.fd, 65536).decode(errors="replace")
            except OSError:
                return True
        return False

    def sees(self, words):
        """Wait for words; what was before them."""
        def there():
            self.read()
            return words in self.seen
        wait_for(there, words)
        before, _, self.seen = self.seen.partition(words)
        return before

    def ready(self):
        """Wait for the prompt; what was before it."""
        return self.sees(self.prompt)

    def types(self, text):
        os.write(self.fd, text.encode())

    def says(self, command):
        """What a command prints."""
        self.types(command + "\n")
        return self.ready()

    def end(self):
        """Leave; the exit status."""
        self.types("quit\n")
        wait_for(self.read, "its end")
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)
