"""Better labels: errors in a corpus that taggers find."""
