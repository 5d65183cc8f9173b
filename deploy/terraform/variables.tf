variable "name" {
  description = "Prefix of everything that is made here."
  type        = string
  default     = "ingesta"
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "bucket" {
  description = "Name of the lake's bucket. It is made, and not destroyed while it holds data."
  type        = string
}

variable "vpc_id" {
  type = string
}

variable "public_subnets" {
  description = "For the balancer, in two zones at least."
  type        = list(string)
}

variable "private_subnets" {
  description = "For the gateways and the script tasks. They need a way to ECR, S3, CloudWatch Logs, Secrets Manager and ECS: NAT or endpoints."
  type        = list(string)
}

variable "certificate_arn" {
  description = "Certificate (ACM) of the balancer's name."
  type        = string
}

variable "allowed_cidrs" {
  description = "Who may reach the balancer."
  type        = list(string)
}

variable "image_tag" {
  description = "Tag of all images in ECR; after a roll-out the one that was rolled out: the next revisions of the scripts have it."
  type        = string
}

variable "sources" {
  description = <<-EOT
    What the script tasks know, by source: environment that is no secret, and which keys of the source's secret become
    variables. Example:
    { mysql = { environment = { MYSQL_HOST = "db.internal", MYSQL_USER = "reader", MYSQL_DATABASE = "ventas" },
                secrets = ["MYSQL_PASSWORD"] } }
    A named connection (SOURCES in gateway_environment) says whose image it runs: ventas = { image = "mysql", ... }.
  EOT
  type = map(object({
    environment = map(string)
    secrets     = list(string)
    image       = optional(string)
    cpu         = optional(number, 512)
    memory      = optional(number, 1024)
  }))
}

variable "gateway_environment" {
  description = "More settings of the gateways (.env.example), none of them secret: API_TITLE, PACKS, RUN_TIMEOUT. They count from the next deploy/roll-out.sh on."
  type        = map(string)
  default     = {}
}

variable "gateways" {
  type    = number
  default = 2
}

variable "glue_database" {
  description = "Database of the Glue catalog."
  type        = string
  default     = "primac_analytics_db"
}

variable "log_days" {
  type    = number
  default = 30
}

variable "github_repository" {
  description = "owner/name whose jobs in the environment \"production\" may push images and deploy; empty for none."
  type        = string
  default     = ""
}

variable "github_oidc_provider" {
  description = "ARN of GitHub's OpenID Connect provider where the account has one: there can be no second. Empty: it is made."
  type        = string
  default     = ""
}
