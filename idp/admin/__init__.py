"""Administration of identity over HTTP: clients, who may register them, and sign-ons."""
