#!/usr/bin/env bash
# Puts another tag of the images into service on ECS: a new revision of each task definition that Terraform made, the same but
# for the image's tag; then the gateways one after the other. Scripts begin with the new revision at the next run.
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
for source in "$@"; do revise "$name-$source"; done
gateway=$(revise "$name-gateway")
aws ecs update-service --cluster "$name" --service gateway --task-definition "$gateway" --query service.status --output text
aws ecs wait services-stable --cluster "$name" --services gateway
