"""Links: which platform had whose calendar connected, from when to when."""
