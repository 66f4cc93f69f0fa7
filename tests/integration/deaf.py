"""A peer that asks and asks, and never reads the answers.

    deaf = Deaf(socket.create_connection(("127.0.0.1", port)))
    wait_for(deaf.is_dropped, "the peer that does not read to be dropped")
"""
import socket

HELLO = bytes.fromhex("00010000000000640100000000000000000000000103010" "0534f434b4554000000000040040200006e6f6e65"
                      "00000000000000000000000000000001ffffffffffffffffffffffffffffffff00000001000000000000"
                      "24300123456789abcdef00000000")
ACK = bytes.fromhex("000a00000000001802000000000000000000000000000000")
ASK = bytes.fromhex("000200000000002c0300000000000000000000000000001490a639fc56550000000000000000001400000000")
AT_ONCE = 200
GIVE_WAY_S = 0.2


class Deaf:
    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(GIVE_WAY_S)
        sock.sendall(HELLO)
        sock.recv(88)
        sock.sendall(ACK)

    def is_dropped(self):
        """Ask for the directory, many times; has the daemon had enough of it?"""
        try:
            self.sock.sendall(ASK * AT_ONCE)
        except socket.timeout:
            return False
        except OSError:
            return True
        return False

    def close(self):
        self.sock.close()
