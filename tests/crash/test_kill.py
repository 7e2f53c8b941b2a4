"""kill -9 of tocsind at random moments under load: what was acknowledged is at
the station, nothing is invented, repeats only where a delivery was in flight.
"""
import random
import time

import proof

ROUNDS = 50
SITES = 200


def test_fifty_kills_lose_nothing(installation):
    place = installation
    stations = proof.demo_stations(place, SITES)
    place.start_daemon()
    load = place.load("panels", "--accounts", proof.accounts(SITES),
                      "--panels", 40, "--rate", 2000, "--inflight", 4,
                      "--seconds", 600, "--persist", "--timeout", "2s")
    chance = random.Random(9)
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.02, 0.4))  # the moment is the test
        place.daemon.kill()
        assert load.running(), load.text()[-2000:]
        place.start_daemon()
    load.stop()
    proof.prove(place, [load], stations, minimum=ROUNDS * 20, kills=ROUNDS)
