import pytest

from analysis.cycling.aliases import resolve
from analysis.cycling.export import _COUNTERS, COUNTER_LABELS, LABELS

# Headers as instruments export them, with what each means.
INSTRUMENTS = {
    "BioLogic": {
        "time/s": "time",
        "Ecell/V": "voltage",
        "I/mA": "current",
        "Ns": "step",
        "cycle number": "cycle",
        "dq/mA.h": "charge_step",
    },
    "BioLogic, mean current": {"time/s": "time", "Ewe/V": "voltage", "<I>/mA": "current", "Q charge/discharge/mA.h": "capacity"},
    "Neware": {
        "Cycle Index": "cycle",
        "Step Index": "step",
        "Step Type": "mode",
        "Time": "step_time",
        "Total Time": "time",
        "Current(mA)": "current",
        "Voltage(V)": "voltage",
        "Capacity(mAh)": "capacity",
        "Chg. Cap.(mAh)": "charge_capacity",
        "DChg. Cap.(mAh)": "discharge_capacity",
        "Chg. Energy(mWh)": "charge_energy",
        "Date": "timestamp",
        "T1(℃)": "temperature",
    },
    "Neware before 2019": {
        "Cycle ID": "cycle",
        "Step ID": "step",
        "Voltage(V)": "voltage",
        "Current(mA)": "current",
        "Capacitance_Chg(mAh)": "charge_capacity",
        "Capacitance_DChg(mAh)": "discharge_capacity",
        "Engy_Chg(mWh)": "charge_energy",
        "Realtime": "timestamp",
    },
    "Arbin": {
        "Test_Time(s)": "time",
        "Date_Time": "timestamp",
        "Step_Time(s)": "step_time",
        "Step_Index": "step",
        "Cycle_Index": "cycle",
        "Current(A)": "current",
        "Voltage(V)": "voltage",
        "Charge_Capacity(Ah)": "charge_capacity",
        "Discharge_Energy(Wh)": "discharge_energy",
        "Aux_Temperature_1 (C)": "temperature",
    },
    "Maccor": {
        "Cyc#": "cycle",
        "Step": "step",
        "Test (Sec)": "time",
        "Step (Sec)": "step_time",
        "Amp-hr": "capacity",
        "Watt-hr": "energy",
        "Amps": "current",
        "Volts": "voltage",
        "State": "state",
        "DPt Time": "timestamp",
    },
    "Landt": {
        "test_time_s": "time",
        "current_A": "current",
        "voltage_V": "voltage",
        "step_name": "mode",
        "date_time_iso_string": "timestamp",
    },
    "Landt, workbook": {
        "TestTime/Sec": "time",
        "StepTime/Sec": "step_time",
        "Current/mA": "current",
        "Voltage/V": "voltage",
        "Cycle-Index": "cycle",
    },
    "Novonix": {
        "Run Time (h)": "time",
        "Potential (V)": "voltage",
        "Capacity (Ah)": "capacity",
        "Cycle Number": "cycle",
        "Date and Time": "timestamp",
    },
    "Basytec": {
        "~Time[s]": "time",
        "t-Step[s]": "step_time",
        "U[V]": "voltage",
        "I[A]": "current",
        "Line": "step",
        "Cyc-Count": "cycle",
        "T1[°C]": "temperature",
        "Ah-Cyc-Charge": "charge_capacity",
    },
    "PEC": {
        "Total Time (Seconds)": "time",
        "Step Time (Seconds)": "step_time",
        "Real Time": "timestamp",
        "Voltage (mV)": "voltage",
        "Current (mA)": "current",
        "Charge Capacity (mAh)": "charge_capacity",
        "Charge Capacity (mWh)": "charge_energy",
        "Step": "step",
        "Cycle": "cycle",
    },
    "Battery Data Format, earlier": {
        "test_time_millisecond": "time",
        "voltage_volt": "voltage",
        "current_ampere": "current",
        "cycle_dimensionless": "cycle",
        "date_time_millisecond": "timestamp",
        "ambient_temperature_celsius": "temperature",
    },
}


@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_headers_of_instruments(instrument: str) -> None:
    wanted = INSTRUMENTS[instrument]
    found = {source.column: target for target, source in resolve(tuple(wanted)).items()}
    assert found == wanted


@pytest.mark.parametrize("scope", COUNTER_LABELS.values())
def test_every_label_that_is_exported_is_understood(scope: str) -> None:
    labels = LABELS | {name: scope + label for name, label in _COUNTERS.items()}
    assert {target: source.column for target, source in resolve(tuple(labels.values())).items()} == labels


@pytest.mark.parametrize(
    ("header", "factor"),
    [("Current(uA)", 1e-6), ("Current / mA", 1e-3), ("I[A]", 1.0), ("current_ampere", 1.0), ("Cur(mA)", 1e-3), ("电流(mA)", 1e-3)],
)
def test_units_in_headers(header: str, factor: float) -> None:
    unit = resolve([header])["current"].unit
    assert unit is not None
    assert unit.factor == pytest.approx(factor)


def test_a_unit_of_another_quantity_is_no_match() -> None:
    assert resolve(["Capacity(mAh/g)", "Voltage(%)", "control/V/mA"]) == {}


def test_a_row_of_units_counts() -> None:
    unit = resolve(["voltage", "current"], ["mV", "mA"])["voltage"].unit
    assert unit is not None
    assert (unit.base, unit.factor) == ("V", 1e-3)


def test_no_column_is_used_twice() -> None:
    found = resolve(["Time", "Time (2)", "Voltage", "Current"])
    columns = [source.column for source in found.values()]
    assert len(columns) == len(set(columns))
