resource "aws_security_group" "balancer" {
  name_prefix = "${var.name}-balancer-"
  description = "Callers to the balancer"
  vpc_id      = var.vpc_id
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = var.allowed_cidrs
  }
  egress {
    from_port       = 8000
    to_port         = 8000
    protocol        = "tcp"
    security_groups = [aws_security_group.gateway.id]
  }
}

# Its rule for the balancer stands below: the two groups name each other.
resource "aws_security_group" "gateway" {
  name_prefix = "${var.name}-gateway-"
  description = "Balancer to gateways"
  vpc_id      = var.vpc_id
  egress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "gateway" {
  type                     = "ingress"
  security_group_id        = aws_security_group.gateway.id
  source_security_group_id = aws_security_group.balancer.id
  from_port                = 8000
  to_port                  = 8000
  protocol                 = "tcp"
}

# Nobody calls a script; it calls databases, wherever they are, and AWS.
resource "aws_security_group" "script" {
  name_prefix = "${var.name}-script-"
  description = "Script tasks: outwards only"
  vpc_id      = var.vpc_id
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_lb" "this" {
  name                       = var.name
  load_balancer_type         = "application"
  subnets                    = var.public_subnets
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  # Longer POSTs than this: Prefer: respond-async, and follow the run.
  idle_timeout = 3600
}

resource "aws_lb_target_group" "gateway" {
  name        = "${var.name}-gateway"
  port        = 8000
  protocol    = "HTTP"
  target_type = "ip"
  vpc_id      = var.vpc_id
  # Answers under way get as long as a gateway gives them.
  deregistration_delay = 15
  health_check {
    path                = "/readyz"
    interval            = 10
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.gateway.arn
  }
}
