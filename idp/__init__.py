"""Who is this, how sure are we, and which relying party may know."""
