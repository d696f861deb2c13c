"""What users give: filters, times, persons, files to import, secrets."""
