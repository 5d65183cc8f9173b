resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

locals {
  lake = {
    AWS_BUCKET_NAME = aws_s3_bucket.lake.bucket
    AWS_REGION      = var.region
  }
  # One proxy before the gateways, the balancer; where there is another one before it, var.gateway_environment says so.
  gateway_environment = merge({ TRUST_PROXY = "1" }, var.gateway_environment, local.lake, {
    ENVIRONMENT         = "production"
    RUNNER              = "ecs"
    ECS_CLUSTER         = aws_ecs_cluster.this.name
    ECS_TASK_PREFIX     = "${var.name}-"
    ECS_SUBNETS         = join(",", var.private_subnets)
    ECS_SECURITY_GROUPS = aws_security_group.script.id
    GLUE_CATALOG        = "on"
    GLUE_DATABASE       = aws_glue_catalog_database.analytics.name
    # The balancer closes idle connections first, and never asks over one that is just being closed.
    KEEP_ALIVE_TIMEOUT = tostring(aws_lb.this.idle_timeout + 60)
  })
  log_options = {
    awslogs-group  = aws_cloudwatch_log_group.this.name
    awslogs-region = var.region
  }
}

# Its memory is for DuckDB above all, whose process takes 512 MiB and up to 450 more beside the gateway's own.
resource "aws_ecs_task_definition" "gateway" {
  family                   = "${var.name}-gateway"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 2048
  task_role_arn            = aws_iam_role.gateway.arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name                   = "gateway"
    image                  = "${aws_ecr_repository.image["gateway"].repository_url}:${var.image_tag}"
    essential              = true
    readonlyRootFilesystem = true
    # Runs under way are stopped in order within 10 s.
    stopTimeout  = 30
    portMappings = [{ containerPort = 8000 }]
    environment  = [for name, value in local.gateway_environment : { name = name, value = value }]
    secrets      = [{ name = "API_KEYS", valueFrom = "${aws_secretsmanager_secret.gateway.arn}:API_KEYS::" }]
    # All that the gateway writes. Its image must have a VOLUME of this very path: a mount is root's alone without.
    mountPoints = [{ sourceVolume = "cache", containerPath = "/var/cache/ingesta" }]
    healthCheck = {
      command     = ["CMD", "/usr/local/bin/node", "/app/dist/main.js", "--healthcheck"]
      interval    = 10
      timeout     = 10
      startPeriod = 15
    }
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { awslogs-stream-prefix = "gateway" }) }
  }])
  volume {
    name = "cache"
  }
}

# One per source; the gateway finds them by their family.
resource "aws_ecs_task_definition" "script" {
  for_each                 = var.sources
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.script.arn
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name                   = "script"
    image                  = "${aws_ecr_repository.image[local.images[each.key]].repository_url}:${var.image_tag}"
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = 30
    environment            = [for name, value in each.value.environment : { name = name, value = value }]
    secrets = [for key in each.value.secrets : {
      name = key, valueFrom = "${aws_secretsmanager_secret.source[each.key].arn}:${key}::"
    }]
    logConfiguration = { logDriver = "awslogs", options = merge(local.log_options, { awslogs-stream-prefix = each.key }) }
  }])
}

resource "aws_ecs_service" "gateway" {
  name            = "gateway"
  cluster         = aws_ecs_cluster.this.id
  task_definition = aws_ecs_task_definition.gateway.arn
  desired_count   = var.gateways
  launch_type     = "FARGATE"
  # New ones beside the old ones, also where that is one, and back where they do not become healthy.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  health_check_grace_period_seconds = 30
  network_configuration {
    subnets         = var.private_subnets
    security_groups = [aws_security_group.gateway.id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.gateway.arn
    container_name   = "gateway"
    container_port   = 8000
  }
  # Its tasks need the policies as long as there are tasks.
  depends_on = [aws_lb_listener.https, aws_iam_role_policy.gateway, aws_iam_role_policy.execution]
  # deploy/roll-out.sh makes the next revisions: another image, all else as here.
  lifecycle {
    ignore_changes = [task_definition]
  }
}
