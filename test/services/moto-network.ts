/** A subnet and a security group of the default VPC that moto has. Asked for without EC2's client, which nobody else needs. */
export async function motoNetwork(endpoint: string): Promise<{ subnet: string; securityGroup: string }> {
  return {
    subnet: await firstId(endpoint, 'DescribeSubnets', /subnet-[0-9a-f]+/),
    securityGroup: await firstId(endpoint, 'DescribeSecurityGroups', /sg-[0-9a-f]+/),
  };
}

async function firstId(endpoint: string, action: string, id: RegExp): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    // The scope tells moto which service is meant; it checks no signature.
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=x/20250101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=x',
    },
    body: new URLSearchParams({ Action: action, Version: '2016-11-15' }),
  });
  const found = id.exec(await response.text());
  if (!found) throw new Error(`moto's ${action} names none`);
  return found[0];
}
