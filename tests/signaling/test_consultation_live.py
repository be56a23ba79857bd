"""A consultation through the real doors: HTTP and Socket.IO against a real record."""

from __future__ import annotations

from tests.signaling.clinic import Clinic, participant_of


async def test_knock_admit_and_come_back(clinic: Clinic) -> None:
    consulted = await clinic.consultation()
    specialist, patient = await consulted.in_call()
    view = await specialist.state(lambda view: view["phase"] == "in_call")
    assert participant_of(view, "patient")["present"] is True
    await patient.close()
    await specialist.state(lambda view: not participant_of(view, "patient")["present"])
    again = await consulted.patient_seat()
    back = await again.state(lambda view: view["you"]["admission"] == "admitted")
    assert {one["role"] for one in back["participants"]} == {"specialist", "patient"}
