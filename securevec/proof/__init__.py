"""What is left to show when data is deleted: bytes looked for before and after, keys destroyed, receipts signed and
checked. Every job that removes something takes its proof from here."""
