"""Government staff over time: bodies and regions, appointments, provisioning, local accounts."""
