"""What users see: tables, JSON, questions, bars."""
