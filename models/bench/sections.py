"""What the report says of a record, section by section, in Markdown without pictures."""

from __future__ import annotations

from models.bench import tables
from models.bench.aims import aims_table
from models.bench.record import Record
from models.bench.speculation.table import speculation_tables

TITLES = {
    "conditions": "Where and how",
    "aims": "Aims",
    "speed": "Rounds",
    "arrivals": "Many channels",
    "memory": "Memory",
    "http": "HTTP and streaming",
    "growth": "How time grows",
    "speculation": "Speculation",
}


def make_sections(record: Record) -> dict[str, str]:
    """Those for which the record has figures, by the names of `TITLES`."""
    rows = record.get("rows", [])
    made = {"conditions": describe(record) if "machine" in record else "", "aims": aims_table(record)}
    if rows:
        made["speed"] = tables.speed_tables(rows, record["conditions"]["price_per_hour"])
        made["arrivals"] = tables.arrival_tables(rows)
        made["memory"] = tables.memory_table(rows)
    if "http" in record:
        made["http"] = tables.http_table(record["http"])
    if "growth" in record:
        made["growth"] = tables.growth_table(record["growth"])
    if "speculation" in record:
        made["speculation"] = speculation_tables(record)
    return {name: text for name, text in made.items() if text}


def describe(record: Record) -> str:
    """The machine and the conditions, in a list."""
    machine, conditions = record["machine"], record["conditions"]
    reads = ", ".join(f"{speed / 1e9:.0f} ({size >> 20} MB)" for size, speed in machine["reads"])
    int8 = machine["int8_ops_s"]
    in_8_bits = "" if int8 is None else f", {int8 / 1e9:.0f} GOP/s in 8 bits"
    lines = [
        f"{record['processor']}, {conditions['threads']} threads, on the {conditions['device']}",
        f"torch {record['versions']['torch']}, transformers {record['versions']['transformers']}",
        f"GB/s read from a block of this size, again and again: {reads}",
        f"multiplications: {machine['flops_s'] / 1e9:.0f} GFLOP/s in float32{in_8_bits}",
        f"W1 to W3: the fastest of {conditions['runs']} runs",
        f"cost: {conditions['price_per_hour']:.2f} an hour for the machine",
    ]
    return "\n".join(f"- {line}" for line in lines)
