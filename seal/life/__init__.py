"""The life of an e-seal: applied for, reviewed, made, recorded, handed out, used, stopped, destroyed."""
