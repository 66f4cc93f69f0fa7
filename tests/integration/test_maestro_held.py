"""ldms maestro, and what changes while a daemon is in the middle of being sent something."""
import socket
import threading

from ldms import free_port, wait_for
from maestro import Maestro, ctl


class Holding:
    """Stands between maestro and a daemon; behind a command that has the armed bytes no answer comes until let_go()."""

    def __init__(self, port):
        self.to, self.armed, self.seen, self.free = port, None, threading.Event(), threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.socks = [self.server]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                asks, _ = self.server.accept()
                answers = socket.create_connection(("127.0.0.1", self.to))
                self.socks += [asks, answers]
                for a, b, held in ((asks, answers, False), (answers, asks, True)):
                    threading.Thread(target=self.copy, args=(a, b, held), daemon=True).start()
        except OSError:
            pass

    def copy(self, a, b, held):
        try:
            while data := a.recv(65536):
                if not held and self.armed and self.armed in data:
                    self.seen.set()
                if held and self.seen.is_set():
                    self.free.wait()
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def end(self):
        self.free.set()
        for s in self.socks:
            s.close()


def test_what_changes_while_commands_are_on_their_way(cluster):
    """It is sent behind them: what the file said when they were made is not the end of it."""
    m = Maestro(cluster, samplers=1, groups=(1,), top=False).start_all()
    held = Holding(m.port["samp-1"])
    m.file["daemons"][0]["endpoints"][0]["ports"] = held.port
    m.write()
    k = m.keep()
    try:
        m.agrees(k)
        held.armed = b"500"
        m.file["plugins"]["mem"]["interval"] = "500ms"
        m.write()
        wait_for(held.seen.is_set, "the first change to be on its way")
        m.file["plugins"]["mem"]["interval"] = "700ms"
        m.file["daemons"].append({"names": "nobody", "hosts": "127.0.0.1",
                                  "endpoints": [{"names": "nobody-ep", "ports": free_port(), "xprt": "sock"}]})
        m.write()
        k.says("read anew: 3 daemons")
        held.free.set()
        wait_for(lambda: "name=mem interval=700ms" in ctl(m.port["samp-1"], "dump_cfg").stdout, "the second change")
        assert k.stop() == 0
    finally:
        held.end()
