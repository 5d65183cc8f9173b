# Made empty: the values are put there by hand or by a rotation, never by Terraform, whose state would hold them.

# One per source: a JSON object with the keys that var.sources names.
resource "aws_secretsmanager_secret" "source" {
  for_each = var.sources
  name     = "${var.name}/${each.key}"
}

# What the gateways ask their callers for: a JSON object with the key API_KEYS (hashes only).
resource "aws_secretsmanager_secret" "gateway" {
  name = "${var.name}/gateway"
}
