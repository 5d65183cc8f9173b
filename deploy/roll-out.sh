#!/usr/bin/env bash
# Puts another tag of the images into service on ECS: a new revision of each task definition that Terraform made, the same but
# for the image's tag. First the gateways, beside those in service; where they do not become healthy, ECS goes back to those before,
# and this ends with 1. Only then the scripts, which begin with the new revision at the next run: a script takes no notice of
# what it does not know in a newer gateway's job, and a roll-out that failed leaves no newer scripts behind.
# usage: deploy/roll-out.sh NAME TAG SOURCE ...      (NAME as var.name; needs the aws CLI and jq)
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: deploy/roll-out.sh NAME TAG SOURCE ..." >&2; exit 64; }
name=$1 tag=$2
shift 2

# Gives the ARN of the new revision.
revise() {
  aws ecs describe-task-definition --task-definition "$1" --query taskDefinition --output json |
    jq --arg tag "$tag" '
      # What describing adds and registering refuses.
      del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)
      | .containerDefinitions[0].image |= sub(":[^:/]+$"; ":" + $tag)' >"$work/definition.json"
  aws ecs register-task-definition --cli-input-json "file://$work/definition.json" \
    --query taskDefinition.taskDefinitionArn --output text
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
gateway=$(revise "$name-gateway")
aws ecs update-service --cluster "$name" --service gateway --task-definition "$gateway" --query service.status --output text
aws ecs wait services-stable --cluster "$name" --services gateway
# Stable it is as well when ECS has gone back.
serving=$(aws ecs describe-services --cluster "$name" --services gateway \
  --query "services[0].deployments[?status=='PRIMARY'].taskDefinition | [0]" --output text)
if [ "$serving" != "$gateway" ]; then
  echo "roll-out: the gateways of $tag did not become healthy, and ECS went back to $serving; the scripts stay as they are." >&2
  echo "See what ECS says (aws ecs describe-services --cluster $name --services gateway --query 'services[0].events[:10]')" >&2
  echo "and what the gateways said last (CloudWatch, log group /$name, streams gateway/...)." >&2
  exit 1
fi
for source in "$@"; do revise "$name-$source"; done
