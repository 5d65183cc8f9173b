# The policies stand in policies/*.json.tftpl, where a test compares them with the calls that the program makes.

locals {
  policy_values = {
    region      = var.region
    account     = data.aws_caller_identity.this.account_id
    name        = var.name
    bucket_arn  = aws_s3_bucket.lake.arn
    glue        = var.glue_database
    cluster_arn = aws_ecs_cluster.this.arn
    pass_roles  = jsonencode([aws_iam_role.script.arn, aws_iam_role.execution.arn])
    deploy_roles = jsonencode([
      aws_iam_role.gateway.arn, aws_iam_role.script.arn, aws_iam_role.execution.arn
    ])
    secrets    = jsonencode(concat([aws_secretsmanager_secret.gateway.arn], values(aws_secretsmanager_secret.source)[*].arn))
    log_arns   = jsonencode(["${aws_cloudwatch_log_group.this.arn}:*"])
    image_arns = jsonencode(values(aws_ecr_repository.image)[*].arn)
  }
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

# What the gateway does itself. Without "sweep" it works, too, and leaves behind what it would have removed.
resource "aws_iam_role" "gateway" {
  name               = "${var.name}-gateway"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "gateway" {
  for_each = toset(["lake", "sweep", "catalog", "tasks"])
  name     = each.key
  role     = aws_iam_role.gateway.id
  policy   = templatefile("${path.module}/policies/${each.key}.json.tftpl", local.policy_values)
}

# What a script does: the lake, and nothing else.
resource "aws_iam_role" "script" {
  name               = "${var.name}-script"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "script" {
  name   = "lake"
  role   = aws_iam_role.script.id
  policy = templatefile("${path.module}/policies/lake.json.tftpl", local.policy_values)
}

# What ECS does before a task begins: pull its image, read its secrets, write its log.
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy" "execution" {
  name   = "start"
  role   = aws_iam_role.execution.id
  policy = templatefile("${path.module}/policies/execution.json.tftpl", local.policy_values)
}

# GitHub Actions, without any key of AWS.
resource "aws_iam_openid_connect_provider" "github" {
  count          = var.github_repository == "" || var.github_oidc_provider != "" ? 0 : 1
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

data "aws_iam_policy_document" "github" {
  count = var.github_repository == "" ? 0 : 1
  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [coalesce(var.github_oidc_provider, one(aws_iam_openid_connect_provider.github[*].arn))]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:${var.github_repository}:environment:production"]
    }
  }
}

resource "aws_iam_role" "deploy" {
  count              = var.github_repository == "" ? 0 : 1
  name               = "${var.name}-deploy"
  assume_role_policy = data.aws_iam_policy_document.github[0].json
}

# It alone names the service, which comes after the policies that its tasks need.
resource "aws_iam_role_policy" "deploy" {
  count = var.github_repository == "" ? 0 : 1
  name  = "push"
  role  = aws_iam_role.deploy[0].id
  policy = templatefile("${path.module}/policies/deploy.json.tftpl", merge(local.policy_values, {
    service_arn = aws_ecs_service.gateway.id
  }))
}
