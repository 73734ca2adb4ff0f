"""What the demo reads of the simulators, as a tester would: the inbox of a phone."""

import httpx2


def last_sms_code(simulators_url: str, phone: str) -> str:
    """Return the code of the last message to `phone`, from the simulated gateway's inbox."""
    with httpx2.Client(timeout=10, trust_env=False) as http:
        url = f"{simulators_url}/sms-gateway/messages"
        messages = http.get(url, params={"phone": phone}).raise_for_status().json()
    return str(messages[-1]["parameters"]["code"])
