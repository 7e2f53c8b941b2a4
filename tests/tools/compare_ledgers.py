#!/usr/bin/env python3
"""Prove from the two ledgers that nothing was lost, invented or misdirected.

    compare_ledgers.py LOAD_LEDGER... -- [NAME=]STATION_LEDGER...
                       [--map MAP.tsv] [--repeats FILE] [--json]

LOAD_LEDGER is what tocsin-load wrote (what was acknowledged to panels),
STATION_LEDGER what tocsin-station wrote (what stations received). A signal
counts as delivered when a station's line with state "ack" carries it.

MAP.tsv says what must become of a signal, one line per account and zone
(tab-separated, '#' begins a comment):

    account   station_account   zone   code   [station]

zone "*" stands for every zone without a line of its own. code is the code that
must arrive, "=" for the one that was sent, "-" for: must not be forwarded.
station is the NAME given to the station's ledger. An account without any line
must not be forwarded. Without --map everything must arrive as it was sent.

Lines marked "?" in the load ledger were sent and never acknowledged: they may
arrive or not. Order is held per account: what was sent and acknowledged before
another signal must not arrive after it. A delivery that comes again is a
repeat; with --repeats FILE (lines "account qualifier event partition zone",
the deliveries that the daemon marked as possibly repeated) each repeat must be
among them.

Status 0 only if nothing is lost, wrong, invented, out of order, or repeated
without being marked.
"""

import argparse
import bisect
import collections
import json
import sys

REPORT_MAX = 10    # examples printed of each kind
ORDER_DEPTH = 256  # arrivals before that a late one is compared with


class LedgerError(Exception):
    """A ledger or map that cannot be read: names file and line."""


Signal = collections.namedtuple(
    "Signal", "account key code acknowledged position station")
Delivery = collections.namedtuple(
    "Delivery", "account key code station time line")


def plain(number):
    """Zones and partitions as outputs pad them: without leading zeros."""
    return number.lstrip("0") or "0" if number != "-" else "-"


def lines_of(path, fields_min):
    with open(path, encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            fields = line.split()
            if len(fields) < fields_min:
                raise LedgerError(f"{path}:{number}: {len(fields)} fields, "
                                  f"not {fields_min}")
            yield number, fields


def read_load(paths):
    """Per account (run, id, position, what was sent, acknowledged): sorted,
    that is the order of first sending; position is that of acknowledgement."""
    accounts = collections.defaultdict(list)
    for run, path in enumerate(paths):
        for number, fields in lines_of(path, 8):
            account, _, qualifier, code, partition, zone, time, ident = \
                fields[:8]
            try:
                entry = (run, int(ident), (run, number), qualifier, code,
                         plain(partition), plain(zone), time != "?")
            except ValueError:
                raise LedgerError(f"{path}:{number}: id '{ident}'") from None
            accounts[account.upper()].append(entry)
    return accounts


def read_stations(specs):
    """Every received line; those with state ack are the deliveries."""
    deliveries, attempts = [], []
    for spec in specs:
        name, _, path = spec.rpartition("=")
        for number, fields in lines_of(path, 9):
            account, qualifier, code, partition, zone = fields[:5]
            delivery = Delivery(account.upper(),
                                (qualifier, plain(partition), plain(zone)),
                                code, name, int(fields[7]),
                                f"{path}:{number}")
            (deliveries if fields[8] == "ack" else attempts).append(delivery)
    deliveries.sort(key=lambda d: d.time)  # stable: file order stays
    return deliveries, attempts


class Map:
    """Where a signal must go and under which code."""

    def __init__(self, path=None):
        self.rows = None
        if path is None:
            return
        self.rows = {}
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                fields = line.split("\t")
                if fields[0] == "account":
                    continue
                if len(fields) < 4:
                    raise LedgerError(f"{path}:{number}: {len(fields)} "
                                      "columns, not 4")
                zone = fields[2] if fields[2] == "*" else plain(fields[2])
                station = fields[4] if len(fields) > 4 else ""
                self.rows[fields[0].upper(), zone] = (
                    fields[1].upper(), fields[3], station)

    def find(self, account, zone, code):
        """(station account, code, station), or None: not forwarded."""
        if self.rows is None:
            return account, code, ""
        row = self.rows.get((account, zone)) or self.rows.get((account, "*"))
        if row is None or row[1] == "-":
            return None
        return row[0], code if row[1] == "=" else row[1], row[2]


def alike(signal_key, delivery_key):
    """Fields that one of both formats does not carry ("-") are no difference."""
    return all(a == b or "-" in (a, b)
               for a, b in zip(signal_key, delivery_key))


class Lane:
    """The signals of one panel's account, in order of first sending, and how
    far their deliveries are."""

    def __init__(self):
        self.signals = []
        self.by_key = collections.defaultdict(list)
        self.seen = []      # how often each arrived
        self.pointer = 0    # the signal after the last that arrived
        self.arrivals = []  # (rank, position in the ledger), for the order

    def add(self, signal):
        self.by_key[signal.key, signal.code].append(len(self.signals))
        self.signals.append(signal)
        self.seen.append(0)

    def ranks(self, delivery):
        """Signals that this may be. A format that drops a field ("-") leaves
        several keys to look through."""
        exact = self.by_key.get((delivery.key, delivery.code))
        if exact:
            return exact
        return sorted(rank for (key, code), ranks in self.by_key.items()
                      if code == delivery.code and alike(key, delivery.key)
                      for rank in ranks)

    def nearest(self, delivery):
        """(distance, -seen, rank) of the signal nearest in order, or None.
        When two are as near, the one that arrived already: a repeat."""
        ranks = self.ranks(delivery)
        i = bisect.bisect_left(ranks, self.pointer)
        return min(((abs(rank - self.pointer), -self.seen[rank], rank)
                    for rank in ranks[max(0, i - 1):i + 1]), default=None)

    def take(self, rank):
        """Returns the signal, how often it is here by now, and whether it
        comes before its turn."""
        signal = self.signals[rank]
        self.seen[rank] += 1
        self.pointer = rank + 1
        late = False
        if self.seen[rank] == 1 and signal.acknowledged:
            late = any(other_rank > rank and position > signal.position
                       for other_rank, position in self.arrivals[-ORDER_DEPTH:])
            self.arrivals.append((rank, signal.position))
        return signal, self.seen[rank], late


class Result:
    KINDS = ("lost", "wrong_account", "wrong_code", "wrong_station",
             "invented", "out_of_order", "unmarked_repeat")

    def __init__(self):
        self.counts = collections.Counter()
        self.examples = collections.defaultdict(list)

    def add(self, kind, text):
        self.counts[kind] += 1
        if len(self.examples[kind]) < REPORT_MAX:
            self.examples[kind].append(text)

    def good(self):
        return not any(self.counts[kind] for kind in self.KINDS)


def describe(key, code):
    qualifier, partition, zone = key
    return f"{qualifier} {code} partition {partition} zone {zone}"


def build_expected(load, directory, result):
    """station account -> panel account -> Lane"""
    expected = collections.defaultdict(lambda: collections.defaultdict(Lane))
    for account, entries in load.items():
        for entry in sorted(entries):
            _, _, position, qualifier, code, partition, zone, acked = entry
            result.counts["acknowledged"] += acked
            result.counts["unacknowledged"] += not acked
            target = directory.find(account, zone, code)
            if target is None:
                result.counts["not_forwarded"] += acked
                continue
            station_account, station_code, station = target
            expected[station_account][account].add(
                Signal(account, (qualifier, partition, zone), station_code,
                       acked, position, station))
    return expected


def read_repeats(path):
    marked = collections.Counter()
    for _, fields in lines_of(path, 5):
        account, qualifier, code, partition, zone = fields[:5]
        marked[account.upper(), (qualifier, plain(partition), plain(zone)),
               code] += 1
    return marked


def take_repeat(delivery, marked, result):
    result.counts["repeated"] += 1
    if marked is None:
        return
    name = delivery.account, delivery.key, delivery.code
    if marked[name] > 0:
        marked[name] -= 1
    else:
        result.add("unmarked_repeat",
                   f"{delivery.line}: {delivery.account} "
                   f"{describe(delivery.key, delivery.code)} came again")


def elsewhere(signal, delivery):
    """Both stations are named, and they differ."""
    return bool(signal.station and delivery.station and
                signal.station != delivery.station)


def take_delivery(delivery, lanes, marked, result):
    """False when no signal explains it."""
    found = [(near, lane) for lane in lanes.values()
             if (near := lane.nearest(delivery)) is not None]
    if not found:
        return False
    # two stations may know the same account: its own station's comes first
    near, lane = min(found, key=lambda pair: (
        elsewhere(pair[1].signals[pair[0][2]], delivery), pair[0]))
    signal, seen, late = lane.take(near[2])
    text = (f"{delivery.line}: {delivery.account} "
            f"{describe(delivery.key, delivery.code)}")
    if seen > 1:
        take_repeat(delivery, marked, result)
    else:
        result.counts["delivered"] += 1
    if late:
        result.add("out_of_order", text)
    if elsewhere(signal, delivery):
        result.add("wrong_station", f"{text}: belongs to {signal.station}")
    return True


def missing_signals(expected):
    return {(account, panel, rank): signal
            for account, lanes in expected.items()
            for panel, lane in lanes.items()
            for rank, signal in enumerate(lane.signals)
            if lane.seen[rank] == 0}


def explain(unexplained, missing, result):
    """A delivery that fits a missing signal but for account or code."""
    by_content = collections.defaultdict(list)
    by_place = collections.defaultdict(list)
    for name, signal in missing.items():
        by_content[signal.key, signal.code].append(name)
        by_place[name[0], signal.key].append(name)
    for delivery in unexplained:
        text = (f"{delivery.line}: {delivery.account} "
                f"{describe(delivery.key, delivery.code)}")
        for kind, names in (
                ("wrong_code", by_place[delivery.account, delivery.key]),
                ("wrong_account", by_content[delivery.key, delivery.code])):
            while names and names[0] not in missing:
                names.pop(0)
            if names:
                signal = missing.pop(names[0])
                result.add(kind, f"{text}, sent as {signal.account} "
                           f"{describe(signal.key, signal.code)}")
                break
        else:
            result.add("invented", text)


def compare(load_paths, station_specs, map_path=None, repeats_path=None):
    result = Result()
    expected = build_expected(read_load(load_paths), Map(map_path), result)
    deliveries, attempts = read_stations(station_specs)
    marked = read_repeats(repeats_path) if repeats_path else None
    unexplained = [d for d in deliveries
                   if not take_delivery(d, expected.get(d.account, {}), marked,
                                        result)]
    result.counts["attempts"] = len(attempts)
    unexplained += [a for a in attempts
                    if not any(lane.ranks(a) for lane in
                               expected.get(a.account, {}).values())]
    missing = missing_signals(expected)
    explain(unexplained, missing, result)
    for (account, _, _), signal in missing.items():
        if signal.acknowledged:
            result.add("lost", f"{signal.account} -> {account} "
                       f"{describe(signal.key, signal.code)}")
    return result


def print_result(result, as_json):
    names = ("acknowledged", "unacknowledged", "not_forwarded", "delivered",
             "attempts", "repeated") + Result.KINDS
    if as_json:
        print(json.dumps({
            **{name: result.counts[name] for name in names},
            "good": result.good(), "examples": result.examples}))
        return
    for name in names:
        print(f"{name.replace('_', ' ')} {result.counts[name]}")
        for example in result.examples.get(name, ()):
            print(f"  {example}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("ledgers", nargs="*", metavar="LEDGER")
    parser.add_argument("--map")
    parser.add_argument("--repeats")
    parser.add_argument("--json", action="store_true")
    arguments = sys.argv[1:]
    load = []
    if "--" in arguments:
        split = arguments.index("--")
        load, arguments = arguments[:split], arguments[split + 1:]
    options = parser.parse_intermixed_args(arguments)
    if not load or not options.ledgers:
        parser.error("give LOAD_LEDGER... -- STATION_LEDGER...")
    try:
        result = compare(load, options.ledgers, options.map, options.repeats)
    except (LedgerError, OSError) as error:
        print(f"compare_ledgers: {error}", file=sys.stderr)
        return 2
    print_result(result, options.json)
    return 0 if result.good() else 1


if __name__ == "__main__":
    sys.exit(main())
