output "url" {
  description = "Of the balancer; point the certificate's name at it."
  value       = "https://${aws_lb.this.dns_name}"
}

output "repositories" {
  description = "Where the images go."
  value       = { for name, repository in aws_ecr_repository.image : name => repository.repository_url }
}

output "deploy_role" {
  description = "Role for GitHub Actions (vars.AWS_DEPLOY_ROLE)."
  value       = one(aws_iam_role.deploy[*].arn)
}
