"""What the parts of the cycling modality hand to one another."""

from analysis.core.data import Schema, Var

ROW = ("row",)
CAPACITY = ("mA h", "mA h/g")
ENERGY = ("mW h", "mW h/g")

RECORD = Schema(
    "cycling.record",
    {
        # What every cycler knows. Rows are in the order of the test, time does not decrease.
        "time": Var(ROW, "s", title="Test time"),
        "voltage": Var(ROW, "V", title="Voltage"),
        "current": Var(ROW, "A", title="Current"),  # positive charges the cell
        # What the instrument counted, exactly as it says; absent where it does not count.
        "cycle": Var(ROW, "1", optional=True, title="Cycle (instrument)"),
        "step": Var(ROW, "1", optional=True, title="Step (instrument)"),
        "charge_capacity": Var(ROW, "A h", optional=True, title="Charge counter"),
        "discharge_capacity": Var(ROW, "A h", optional=True, title="Discharge counter"),
        "charge_energy": Var(ROW, "W h", optional=True, title="Charge energy counter"),
        "discharge_energy": Var(ROW, "W h", optional=True, title="Discharge energy counter"),
        "temperature": Var(ROW, "degC", optional=True, title="Temperature"),
        "timestamp": Var(ROW, "s", optional=True, title="Wall clock, seconds since 1970 UTC"),
        "mode": Var(ROW, "1", optional=True, title="Mode"),  # MODES, where the instrument says it
    },
)

# Codes of the record's "mode".
MODES = {0: "unknown", 1: "constant current", 2: "constant voltage", 3: "rest", 4: "impedance", 5: "pulse"}

# Attributes that readers of records set besides the schema's:
#   instrument  str   "Neware BTS 8.0"            channel     str   "36-6-5"
#   start_time  str   ISO 8601, as the file has it  warnings    list[str]
#   metadata    dict  what else the header says (JSON-able), "active_mass_mg" among it where the file states one

CYCLE = ("cycle",)

CYCLES = Schema(
    "cycling.cycles",
    {
        "cycle": Var(CYCLE, "1", title="Cycle"),  # absolute, counted from 1; 0 is a partial half cycle before the first whole one
        "charge_capacity": Var(CYCLE, CAPACITY, title="Charge capacity"),
        "discharge_capacity": Var(CYCLE, CAPACITY, title="Discharge capacity"),
        "coulombic_efficiency": Var(CYCLE, "1", title="Coulombic efficiency"),
        "energy_efficiency": Var(CYCLE, "1", title="Energy efficiency"),
        "charge_energy": Var(CYCLE, ENERGY, title="Charge energy"),
        "discharge_energy": Var(CYCLE, ENERGY, title="Discharge energy"),
        "mean_charge_voltage": Var(CYCLE, "V", title="Mean charge voltage"),
        "mean_discharge_voltage": Var(CYCLE, "V", title="Mean discharge voltage"),
        "hysteresis": Var(CYCLE, "V", title="Voltage hysteresis"),
        "polarisation": Var(CYCLE, "V", optional=True, title="Polarisation at half capacity"),
        "charge_current": Var(CYCLE, "A", title="Median charge current"),
        "discharge_current": Var(CYCLE, "A", title="Median discharge current"),
        "start_time": Var(CYCLE, "s", title="Start"),
        "duration": Var(CYCLE, "s", title="Duration"),
        "kind": Var(CYCLE, "", title="Kind"),  # one of KINDS
        "flags": Var(CYCLE, "", title="Flags"),  # words of FLAGS joined by blanks, "" if none
        "label": Var(CYCLE, "", optional=True, title="Label (instrument)"),  # what the file itself calls the cycle
    },
)

KINDS = ("formation", "cycle", "partial", "check", "pulse", "impedance")
FLAGS = ("ce_above_one", "time_jump", "counter_reset", "cut_off", "short_suspected", "counter_mismatch")

POINT = ("point",)
PROFILE = Schema(
    "cycling.profile",
    {
        "cycle": Var(POINT, "1", title="Cycle"),
        "direction": Var(POINT, "1", title="Direction"),  # +1 charge, -1 discharge
        "capacity": Var(POINT, CAPACITY, title="Capacity"),  # 0 where its half cycle starts
        "voltage": Var(POINT, "V", title="Voltage"),
    },
)

DQDV = Schema(
    "cycling.dqdv",
    {
        "cycle": Var(POINT, "1", title="Cycle"),
        "direction": Var(POINT, "1", title="Direction"),
        "voltage": Var(POINT, "V", title="Voltage"),
        "capacity": Var(POINT, CAPACITY, title="Capacity"),
        "dqdv": Var(POINT, ("mA h/V", "mA h/g/V"), title="dQ/dV"),
        "dvdq": Var(POINT, ("V/(mA h)", "V/(mA h/g)"), title="dV/dQ"),
    },
)

GROUP = ("rate_group",)
RATES = Schema(
    "cycling.rates",
    {
        "c_rate": Var(GROUP, "1/h", title="C-rate"),
        "first_cycle": Var(GROUP, "1", title="First cycle"),
        "last_cycle": Var(GROUP, "1", title="Last cycle"),
        "discharge_capacity": Var(GROUP, CAPACITY, title="Discharge capacity"),
        "discharge_capacity_std": Var(GROUP, CAPACITY, title="Spread over the group's cycles"),
        "n_cycles": Var(GROUP, "1", title="Cycles"),
    },
)
